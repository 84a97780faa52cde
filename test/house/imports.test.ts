import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { contexts } from '../../functions/routes.ts'
import { codeOf, IMPORTS, type Import, importsIn, ROOT, read, SOURCES } from './source-files.ts'

const isFile = ({ to }: Import) => /^(functions|infra|shared|test)\//.test(to)
const text = ({ from, to }: Import) => `${from} imports ${to}`
const inside =
  (...folders: readonly string[]) =>
  (file: string) =>
    folders.some((folder) => file === folder || file.startsWith(`${folder}/`))

/** What the files of a folder may import of the repository's own files, types included. */
const LAYERS: Readonly<Record<string, (to: string) => boolean>> = {
  'shared/domain': inside('shared/domain', 'shared/platform/time.ts', 'shared/platform/ids.ts'),
  'shared/platform': inside('shared/platform', 'shared/domain'),
  'shared/store': inside(
    'shared/store',
    'shared/domain',
    'shared/platform/time.ts',
    'shared/platform/ids.ts',
    'shared/platform/remembered.ts',
  ),
  functions: inside('functions', 'shared'),
  infra: inside('infra', 'functions', 'shared'),
  test: () => true,
}

/** Imports against the layers, each with its reason. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'shared/store/commit.ts imports shared/platform/http/contract.ts':
    'Only the type of a stored answer that is given again, which the pipeline tells from a fresh one.',
}

describe('the layers', () => {
  test.each(Object.entries(LAYERS))('%s imports what it may', (folder, may) => {
    const wrong = IMPORTS.filter(({ from }) => from.startsWith(`${folder}/`))
      .filter((one) => isFile(one) && !may(one.to))
      .map(text)
    expect(wrong.filter((one) => EXCEPTIONS[one] === undefined)).toEqual([])
  })

  test('have no exception that nobody needs, and none at run time', () => {
    const found = IMPORTS.filter((one) => EXCEPTIONS[text(one)] !== undefined)
    expect(found.map(text).toSorted()).toEqual(Object.keys(EXCEPTIONS).toSorted())
    expect(found.filter(({ typeOnly }) => !typeOnly)).toEqual([])
  })

  test('are all there is', () => {
    const folders = Object.keys(LAYERS)
    const outside = SOURCES.filter((file) => !folders.some((folder) => file.startsWith(`${folder}/`)))
    expect(outside).toEqual(['vitest.config.ts'])
  })

  test('lead to files that exist', () => {
    const missing = IMPORTS.filter((one) => isFile(one) && !existsSync(join(ROOT, one.to)))
    expect(missing.map(text)).toEqual([])
  })

  test('outside of tests nobody imports a test', () => {
    const wrong = IMPORTS.filter(({ from, to }) => !from.startsWith('test/') && to.startsWith('test/'))
    expect(wrong.filter(({ from }) => from !== 'vitest.config.ts').map(text)).toEqual([])
  })

  test('no context imports from another, and what they share from none', () => {
    const folderOf = (file: string) => /^functions\/([^/]+)\//.exec(file)?.[1]
    const wrong = IMPORTS.filter(({ from, to }) => {
      const [own, other] = [folderOf(from), folderOf(to)]
      return own !== undefined && other !== undefined && own !== other && other in contexts
    })
    expect(wrong.map(text)).toEqual([])
  })
})

describe('the domain', () => {
  const own = IMPORTS.filter(({ from }) => from.startsWith('shared/domain/'))

  test('uses few packages, all of them without I/O', () => {
    const packages = new Set(own.filter((one) => !isFile(one)).map(({ to }) => to.split('/')[0]))
    expect([...packages].toSorted()).toEqual(['node:crypto', 'semver', 'temporal-polyfill', 'zod'])
  })

  test('takes of node:crypto what is pure: hashes and their comparison', () => {
    const PURE = ['createHash', 'timingSafeEqual']
    for (const { from } of own.filter(({ to }) => to === 'node:crypto')) {
      const [, taken = ''] = /^import \{([^}]*)\} from 'node:crypto'$/m.exec(read(from)) ?? []
      expect(
        taken.split(',').filter((name) => !PURE.includes(name.trim())),
        from,
      ).toEqual([])
    }
  })

  test('has no clock, no randomness, no I/O of its own', () => {
    const IMPURE =
      /\b(Math\.random|performance|crypto\.|fetch|setTimeout|setInterval|console|process\.|readClock)\b/
    const wrong = SOURCES.filter(inside('shared/domain')).filter((file) => IMPURE.test(codeOf(file)))
    expect(wrong).toEqual([])
  })
})

/** Files that may talk to AWS, and why. */
const SDK_USERS = inside(
  'shared/store',
  'shared/platform/signing',
  'shared/platform/mail',
  // Where clients are made and handed on.
  'functions/services.ts',
  'functions/verified.ts',
  // Fed by the table's stream, in DynamoDB's own form, and not by the API: it has a client of its own.
  'functions/records',
  // The local stack, and the first token of a stage, which nobody could ask the API for.
  'infra/local',
  'infra/first-token.ts',
  'test',
)

test('the AWS SDK is imported where it belongs', () => {
  const wrong = IMPORTS.filter(({ from, to }) => /^@(aws-sdk|smithy)\//.test(to) && !SDK_USERS(from))
  expect(wrong.map(text)).toEqual([])
})

describe('infra', () => {
  /** Data of the functions: tables without code behind them. */
  const DATA = /^functions\/((routes|jobs|needs)\.ts|[^/]+\/(routes|environment|filter)\.ts)$/

  test('imports of the functions only data', () => {
    const wrong = IMPORTS.filter(
      ({ from, to }) => from.startsWith('infra/') && to.startsWith('functions/') && !DATA.test(to),
    )
    expect(wrong.map(text)).toEqual([])
  })

  test('never leads to a handler, the pipeline or the SDK at run time, however many steps away', () => {
    const runtime = Map.groupBy(
      IMPORTS.filter(({ typeOnly }) => !typeOnly),
      ({ from }) => from,
    )
    const justified = inside('infra/local', 'infra/first-token.ts')
    const forbidden = (to: string) =>
      /^@(aws-sdk|smithy|middy)\//.test(to) ||
      /^functions\/.*(handlers|index|function|services)\.ts$/.test(to)
    // By the import that is wrong, the first way that leads to it.
    const wrong = new Map<string, string>()
    const follow = (way: readonly string[], seen: Set<string>): void => {
      for (const { from, to } of runtime.get(way.at(-1) ?? '') ?? []) {
        if (forbidden(to)) wrong.set(`${from} ${to}`, [...way, to].join(' → '))
        else if (!justified(to) && !seen.has(to)) follow([...way, to], seen.add(to))
      }
    }
    for (const start of SOURCES.filter((file) => file.startsWith('infra/') && !justified(file)))
      follow([start], new Set())
    expect([...wrong.values()]).toEqual([])
  })
})

test('every form of import is seen', () => {
  const source = `
import a from './a.ts'
import { b, type C } from '../b.ts'
import type { D } from "./d.ts"
import {
  e,
  f,
} from './e.ts'
import './side-effect.ts'
export { g } from './g.ts'
export type * from './h.ts'
export * from 'package/part'
const later = await import('./later.ts')
import data from './data.json' with { type: 'json' }
`
  const seen = importsIn('x/y/z.ts', source).map(({ to, typeOnly }) => (typeOnly ? `type ${to}` : to))
  expect(seen).toEqual([
    'x/y/a.ts',
    'x/b.ts',
    'type x/y/d.ts',
    'x/y/e.ts',
    'x/y/side-effect.ts',
    'x/y/g.ts',
    'type x/y/h.ts',
    'package/part',
    'x/y/data.json',
    'x/y/later.ts',
  ])
})
