import { build } from 'esbuild'
import { beforeAll, expect, test } from 'vitest'
import { type Needs, needs } from '../../functions/needs.ts'
import type { ContextName } from '../../functions/routes.ts'
import { contextNames } from '../../infra/contexts.ts'
import { TABLE } from '../../shared/store/table.ts'

/** The code of each function that can run: what nothing reaches is left out. */
const code = new Map<ContextName, string>()

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: Object.fromEntries(contextNames.map((name) => [name, `functions/${name}/index.ts`])),
    outdir: '.',
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    packages: 'external',
  })
  for (const name of contextNames)
    code.set(name, outputFiles.find(({ path }) => path.endsWith(`/${name}.js`))?.text ?? '')
})

/** The contexts in whose code something stands. */
const having = (what: string) => contextNames.filter((name) => code.get(name)?.includes(what))
/** A variable that is read, as `env.MAIL` or `{ MAIL, … }`, and not only declared in a schema. */
const reading = (variable: string) =>
  contextNames.filter((name) => new RegExp(`(env\\.|[{,] )${variable}\\b(?!:)`).test(code.get(name) ?? ''))
const needing = (isNeeded: (need: Needs) => boolean) => contextNames.filter((name) => isNeeded(needs[name]))

// Otherwise a function may do what it never does, or, which nothing here would notice, may not do what it does.
test('those that take items away are those that may', () => {
  expect(needing(({ table }) => table === 'remove')).toEqual(having('kind: "remove"'))
})

test.each(TABLE.indexes.map(({ name }) => name))(
  'those that query the index %s are those that may',
  (name) => {
    expect(needing(({ indexes = [] }) => indexes.includes(name))).toEqual(having(`index: "${name}"`))
  },
)

test.each([
  ['signing', 'SIGNING_KEY_IDS'],
  ['activationKeys', 'ACTIVATION_KEY_IDS'],
  ['auditKeys', 'AUDIT_KEY_ID'],
  ['licenseKeys', 'LICENSE_KEY_KEY_ID'],
  ['sessionKeys', 'SESSION_KEY_ID'],
  ['places', 'COUNTRY_MODULE'],
  ['webhooks', 'WEBHOOK_TARGETS'],
  ['mail', 'MAIL'],
] as const)('those that need %s are those that read %s', (need, variable) => {
  expect(needing((one) => one[need] !== undefined)).toEqual(reading(variable))
})

test('those that sign are those that may', () => {
  const signing = needing((need) => [need.signing, need.activationKeys, need.auditKeys].includes('sign'))
  expect(signing).toEqual(having('new SignCommand'))
})

test('those that keep what is recorded, addresses, tokens and logs are those that may', () => {
  const writers = {
    tokens: 'rotatedTo = :successor',
    addresses: 'addressByKey(',
    recorded: 'noteLicenseRecord(',
    logs: 'appendEntries(',
  } as const
  for (const [name, what] of Object.entries(writers))
    expect([name, needing(({ guarded = [] }) => guarded.some((one) => one === name))]).toEqual([
      name,
      having(what),
    ])
})
