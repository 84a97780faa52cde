import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { EdgeSettings } from '../../shared/platform/config/environment.ts'
import { countryModule } from '../../shared/platform/places/country-module.ts'
import { edgeCountry } from '../../shared/platform/places/edge.ts'

const sha256 = (secret: string) => createHash('sha256').update(secret).digest('hex')
const settings = EdgeSettings.parse({
  countryHeader: 'cloudfront-viewer-country',
  proofHeader: 'x-edge-proof',
  proofSha256: [sha256('the old secret'), sha256('the new secret')],
})

describe('the country of the edge', () => {
  const countryIn = edgeCountry(settings)
  const headers = (country: string, proof?: string) => ({
    'cloudfront-viewer-country': country,
    ...(proof !== undefined && { 'x-edge-proof': proof }),
  })

  test.each<[string, Record<string, string>, string | undefined]>([
    ['with its proof', headers('FR', 'the new secret'), 'FR'],
    ['with the proof that is being replaced', headers('FR', 'the old secret'), 'FR'],
    ['in lower case', headers('fr', 'the new secret'), 'FR'],
    ['without a proof', headers('FR'), undefined],
    ['with an empty proof', headers('FR', ''), undefined],
    ['with another proof', headers('FR', 'the new secret '), undefined],
    ['with the hash, which is no secret', headers('FR', sha256('the new secret')), undefined],
    // API Gateway joins what came twice: the edge replaces its own header, so somebody else sent one of these.
    ['with two proofs', headers('FR', 'guess,the new secret'), undefined],
    ['with two countries', headers('DE,FR', 'the new secret'), undefined],
    ['that does not know', headers('XX', 'the new secret'), undefined],
    ['that saw Tor', headers('T1', 'the new secret'), undefined],
    ['that says nothing', { 'x-edge-proof': 'the new secret' }, undefined],
  ])('%s', (_, sent, expected) => {
    expect(countryIn(sent)).toBe(expected)
  })

  test('is nobody’s where none is configured', () => {
    expect(edgeCountry(null)(headers('FR', 'the new secret'))).toBeUndefined()
  })

  test.each([
    ['a header in upper case', { countryHeader: 'CloudFront-Viewer-Country' }],
    ['no proof', { proofSha256: [] }],
    ['a secret where its hash belongs', { proofSha256: ['the new secret'] }],
  ])('is not configured with %s', (_, wrong) => {
    expect(EdgeSettings.safeParse({ ...settings, ...wrong }).success).toBe(false)
  })
})

describe('the country module', () => {
  const file = new URL('../support/country-of.ts', import.meta.url).href

  test('answers what it knows, and nothing of what it does not', async () => {
    const countryOf = countryModule(file, () => {})
    expect(await countryOf('198.51.100.7', 'r')).toMatchObject({ country: 'FR', confidence: 'medium' })
    expect(await countryOf('10.0.0.1', 'r')).toBeUndefined()
    expect(await countryModule('', () => {})('198.51.100.7', 'r')).toBeUndefined()
  })

  test('that fails, or is not there, leaves the country unknown and a line without the address', async () => {
    const lines: unknown[][] = []
    const log = (...line: unknown[]) => lines.push(line)
    expect(await countryModule(file, log)('198.18.0.1', 'r-1')).toBeUndefined()
    expect(await countryModule('./no-such-module.mjs', log)('198.51.100.7', 'r-2')).toBeUndefined()
    expect(lines).toMatchObject([
      ['error', expect.any(String), { requestId: 'r-1' }, 'Error'],
      ['error', expect.any(String), { requestId: 'r-2' }, expect.any(String)],
    ])
    expect(JSON.stringify(lines)).not.toContain('198.')
  })
})
