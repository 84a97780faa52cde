import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { TENANT_ROLES, VENDOR_ROLES } from '../../shared/domain/access.ts'
import { FINDINGS } from '../../shared/domain/finding.ts'

const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')

/** What stands as code in the first column of the table with this heading. */
function firstColumn(heading: string): string[] {
  const [, table = ''] = readme.split(`\n| ${heading} |`)
  const rows = (table.split('\n\n')[0] ?? '').split('\n').slice(2)
  return rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code),
  )
}

test('the README has every verdict code, in order, and says from where on the license is valid', () => {
  expect(firstColumn('Code')).toEqual(FINDINGS.map(([code]) => code))
  const [, firstValid] = /With `(\w+)` and those after it alone,\sthe license is valid/.exec(readme) ?? []
  const after = FINDINGS.slice(FINDINGS.findIndex(([code]) => code === firstValid))
  expect(after).toEqual(FINDINGS.filter(([, severity]) => severity !== 'error'))
})

test('the README has every role', () => {
  expect(firstColumn('Role').toSorted()).toEqual([...VENDOR_ROLES, ...TENANT_ROLES].toSorted())
})
