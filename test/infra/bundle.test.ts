import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { needs } from '../../functions/needs.ts'
import { type BundleSizes, bundle, bundleFunctions } from '../../infra/bundle.ts'
import { contextNames } from '../../infra/contexts.ts'
import { COUNTRY_MODULE } from '../../infra/stage.ts'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-bundle-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const source = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

/** What a bundle's handler answers, in a Node.js process of its own with nothing else in its environment. */
function answerOf(file: string, env: Record<string, string> = {}): unknown {
  const program = `console.log(JSON.stringify(await (await import(${JSON.stringify(pathToFileURL(file).href)})).handler()))`
  const options = { encoding: 'utf8', env } as const
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '--eval', program], options))
}

describe("Node's own modules in a bundle", () => {
  test('are found by every way to import them, and by require in CommonJS', async () => {
    source(
      'dependency.cjs',
      `const { join } = require('path'); module.exports = { join, EventEmitter: require('node:events') }`,
    )
    const entry = source(
      'every-way.mjs',
      `import crypto, { createHash } from 'node:crypto'
       import * as url from 'url'
       import { promises as fs } from 'node:fs'
       import { EventEmitter } from 'node:events'
       import dependency from './dependency.cjs'
       const path = await import('node:path')
       class Emitter extends dependency.EventEmitter {}
       export const handler = () => ({
         byDefault: crypto.createHash === createHash,
         byNamespace: url.fileURLToPath('file:///a/b'),
         byName: typeof fs.readFile,
         dynamic: path.basename('/a/b') + path.default.extname('c.d'),
         commonJs: dependency.join('a', 'b'),
         sameClass: new Emitter() instanceof EventEmitter,
       })`,
    )
    await bundle({ every: entry }, folder)
    expect(answerOf(join(folder, 'every', 'index.mjs'))).toEqual({
      byDefault: true,
      byNamespace: '/a/b',
      byName: 'function',
      dynamic: 'b.d',
      commonJs: 'a/b',
      sameClass: true,
    })
  })

  test('are not imported: that would load what nobody uses', async () => {
    const entry = source(
      'http.mjs',
      `import { request } from 'node:http'; export const handler = () => typeof request`,
    )
    await bundle({ http: entry }, folder)
    const text = readFileSync(join(folder, 'http', 'index.mjs'), 'utf8')
    expect(text).toContain('process.getBuiltinModule("node:http")')
    expect(text).not.toMatch(/\bimport\b|\brequire\(/)
    expect(answerOf(join(folder, 'http', 'index.mjs'))).toBe('function')
  })
})

describe('the SDK in a bundle', () => {
  test('finds its credentials in the environment, and brings no other place to look', async () => {
    const entry = fileURLToPath(new URL('fixtures/credentials.ts', import.meta.url))
    await bundle({ sdk: entry }, folder)
    const file = join(folder, 'sdk', 'index.mjs')
    expect(answerOf(file, { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' })).toMatchObject({
      accessKeyId: 'id',
      secretAccessKey: 'secret',
    })
    expect(readFileSync(file, 'utf8').match(/portal\.sso/g)).toBeNull()
  })
})

const COUNTRY_MODULE_SOURCE = fileURLToPath(
  new URL('../../shared/platform/places/country-module.ts', import.meta.url),
)

describe('the functions', () => {
  let out: string
  let sizes: BundleSizes

  beforeAll(async () => {
    out = join(folder, 'functions')
    source('networks.csv', '192.0.2.,NL')
    const countryModule = source(
      'networks.mjs',
      `import { readFileSync } from 'node:fs'
       import file from './networks.csv'
       const [prefix, country] = readFileSync(new URL(file, import.meta.url), 'utf8').trim().split(',')
       export const countryOf = (address) => address.startsWith(prefix) ? { country, confidence: 'medium' } : undefined`,
    )
    sizes = await bundleFunctions(out, countryModule)
  })

  test('are bundled one per context, each a file that loads nothing else and has a handler', () => {
    expect(Object.keys(sizes).sort()).toEqual([...contextNames].sort())
    for (const context of contextNames) {
      const text = readFileSync(join(out, context, 'index.mjs'), 'utf8')
      expect(text.match(/Dynamic require of|(?<=^|[;}\n])import\s*["'{*]/g), context).toBeNull()
      expect(text.match(/export\s*\{[^}]*\bas handler\b/), context).not.toBeNull()
    }
  })

  test('are as small as the hot path has to be', () => {
    // Bytes that a cold start of a validation may load; see infra/left-out.ts, and `npm run bench` for what loading takes.
    expect(sizes['validation']).toBeLessThanOrEqual(450_000)
  })

  test("those that ask the vendor's country module have it beside them with its data, and no other", async () => {
    const having = contextNames.filter((context) => existsSync(join(out, context, COUNTRY_MODULE)))
    expect(having).toEqual(contextNames.filter((context) => 'places' in needs[context]))
    expect(having).toContain('validation')
    expect(having).not.toContain('catalog')
    const asking = source(
      'asking.mjs',
      `import { countryModule } from ${JSON.stringify(COUNTRY_MODULE_SOURCE)}
       const countryOf = countryModule('./${COUNTRY_MODULE}', () => {})
       export const handler = async () =>
         [await countryOf('192.0.2.7'), (await countryOf('198.51.100.7')) ?? null]`,
    )
    await bundle({ validation: asking }, out)
    expect(answerOf(join(out, 'validation', 'index.mjs'))).toEqual([
      { country: 'NL', confidence: 'medium' },
      null,
    ])
  })
})
