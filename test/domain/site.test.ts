import { describe, expect, it } from 'vitest'
import { outsideSite } from '../../shared/domain/site.ts'
import { Rules } from '../../shared/domain/terms.ts'

const site = { domains: ['example.edu'], organizations: ['org-chem'] }

describe('the boundary of a site', () => {
  it.each([
    [{ email: 'ada@example.edu' }, undefined],
    [{ email: 'ada@CHEM.Example.edu' }, undefined],
    [{ email: 'eve@notexample.edu' }, 'outside'],
    [{ email: 'eve@example.edu.evil.test' }, 'outside'],
    [{ email: '"a@example.edu"@evil.test' }, 'outside'],
    [{ organization: 'org-chem' }, undefined],
    [{ organization: 'org-bio' }, 'outside'],
    [{ email: 'eve@evil.test', organization: 'org-chem' }, undefined],
    [{}, 'unknown'],
  ] as const)('%j: %s', (person, expected) => {
    expect(outsideSite(site, person)).toBe(expected)
  })

  it('asks only about what it lists', () => {
    expect(outsideSite({ domains: ['example.edu'] }, { organization: 'org-chem' })).toBe('unknown')
  })

  it.each([[{}], [{ domains: [] }], [{ domains: ['Example.edu'] }], [{ domains: ['@example.edu'] }]])(
    '%j is no boundary',
    (rule) => {
      expect(Rules.safeParse({ site: rule }).success).toBe(false)
    },
  )
})
