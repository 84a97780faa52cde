import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addSigningKey } from '../../infra/rotate-signing-key.ts'
import { readStage } from '../../infra/stage.ts'

// Written by hand, as a vendor might: no formatter would leave it like this.
const CDK_JSON = `{
  "app": "node infra/app.ts",
  "context": {
    "stages": {
      "dev": { "issuer": "https://dev.vendor.example", "signingKeys": 2, "logRetentionDays": 7,
               "throttle": {"rate":50, "burst":100}, "protect": false },
      "prod": {
        "issuer": "https://vendor.example/\\"prod\\": {",
        "logRetentionDays": 365,
        "throttle": { "rate": 500, "burst": 1000 },
        "protect": true
      },
      "eu-prod": { "issuer": "https://eu.vendor.example", "logRetentionDays": 365, "signingKeys"  :  9,
        "throttle": { "rate": 500, "burst": 1000 }, "protect": true }
    }
  }
}
`

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-stage-'))
  file = join(folder, 'cdk.json')
  writeFileSync(file, CDK_JSON)
})
afterEach(() => rmSync(folder, { recursive: true }))

const written = () => readFileSync(file, 'utf8')

describe('settings of a stage', () => {
  test('have defaults for what is not said', () => {
    expect(readStage('prod', file)).toMatchObject({
      name: 'prod',
      signingKeys: 2,
      oidcIssuers: [],
      logLevel: 'info',
    })
  })

  test('of an unknown stage: says which there are', () => {
    expect(() => readStage('test', file)).toThrow('cdk.json has no stage test; it has dev, prod, eu-prod.')
  })

  test.each([
    ['a key too few', '"signingKeys": 2', '"signingKeys": 1', /signingKeys/],
    ['a setting nobody knows', '"protect": false', '"protected": false', /protected/],
    ['a throttle of nothing', '"rate":50', '"rate":0', /throttle\.rate/],
    [
      'a retention CloudWatch does not have',
      '"logRetentionDays": 7',
      '"logRetentionDays": 8',
      /logRetentionDays/,
    ],
    [
      'an edge that anybody can play',
      '"protect": false',
      '"protect": false, "edge": {"countryHeader": "cf-ipcountry", "proofHeader": "x-proof", "proofSha256": []}',
      /edge\.proofSha256/,
    ],
    [
      'webhooks to its own computer',
      '"protect": false',
      '"protect": false, "webhooksToLoopback": true',
      /must not say webhooksToLoopback/,
    ],
    ['an issuer without a scheme', 'https://dev.vendor.example', 'vendor', /issuer/],
  ])('with %s are refused by name', (_, right, wrong, message) => {
    writeFileSync(file, CDK_JSON.replace(right, wrong))
    expect(() => readStage('dev', file)).toThrow(message)
  })
})

describe('rotation of the signing key', () => {
  test('raises the number where it stands and leaves everything else as it was', () => {
    expect(addSigningKey('dev', file)).toBe(3)
    expect(written()).toBe(CDK_JSON.replace('"signingKeys": 2', '"signingKeys": 3'))
    expect(addSigningKey('eu-prod', file)).toBe(10)
    expect(written()).toContain('"signingKeys"  :  10,')
  })

  test('writes the number into the stage that does not have one', () => {
    expect(addSigningKey('prod', file)).toBe(3)
    expect(readStage('prod', file).signingKeys).toBe(3)
    expect(readStage('dev', file).signingKeys).toBe(2)
    expect(written()).toBe(CDK_JSON.replace('"prod": {\n', '"prod": {\n        "signingKeys": 3,\n'))
  })

  test('changes nothing for an unknown stage, nor when there can be no more keys', () => {
    expect(() => addSigningKey('test', file)).toThrow('no stage test')
    writeFileSync(file, CDK_JSON.replace('"signingKeys": 2', '"signingKeys": 12'))
    const before = written()
    expect(() => addSigningKey('dev', file)).toThrow(
      'Stage dev has 12 signing keys, as many as its stack takes',
    )
    expect(written()).toBe(before)
  })
})
