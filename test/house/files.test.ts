import { globSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { needs } from '../../functions/needs.ts'
import { contexts } from '../../functions/routes.ts'
import { codeOf, ROOT, read, SOURCES } from './source-files.ts'

// Without the patterns that are written here.
const using = (what: RegExp) =>
  SOURCES.filter((file) => !file.startsWith('test/house/') && what.test(codeOf(file)))

test('only shared/platform/time.ts touches the clock, what stands for Lambda in the bench, and what sets it for tests', () => {
  // As a value or a type; `vi.useFakeTimers({ toFake: ['Date'] })` is in quotes.
  expect(using(/\b(Date|Intl\.DateTimeFormat|performance\.timeOrigin)\b/)).toEqual([
    'shared/platform/time.ts',
    'test/bench/support/arm-process.ts',
    'test/support/each-file.ts',
  ])
})

test('the environment is read in shared/platform/config, in infra and in tests', () => {
  const wrong = using(/\bprocess\.env\b/).filter(
    (file) => !/^(shared\/platform\/config|infra|test)\//.test(file),
  )
  expect(wrong).toEqual([])
})

/** Files that are longer than others, each with its reason. */
const LONG: Readonly<Record<string, string>> = {
  'shared/domain/refusal.ts': 'The one closed table of refusals.',
}

test('no file has more than 300 lines', () => {
  const long = SOURCES.filter((file) => !file.startsWith('test/')).filter(
    (file) => read(file).split('\n').length > 301,
  )
  expect(long).toEqual(Object.keys(LONG))
})

test('most files have fewer than 200 lines', () => {
  const lengths = SOURCES.filter((file) => !file.startsWith('test/')).map(
    (file) => read(file).split('\n').length,
  )
  expect(lengths.filter((length) => length > 201).length / lengths.length).toBeLessThan(0.1)
})

/** Folders of what several contexts do alike; they have no function of their own. */
const SHARED = ['logs', 'moving', 'seating']

describe('the contexts', () => {
  const folders = globSync('functions/*/', { cwd: ROOT }).map((folder) => folder.split('/')[1] ?? '')
  const names = Object.keys(contexts)

  test('are the folders of functions beside what they share, and those that say what they need', () => {
    expect(folders.toSorted()).toEqual([...names, ...SHARED].toSorted())
    expect(Object.keys(needs).toSorted()).toEqual(names.toSorted())
  })

  test.each(Object.entries(contexts))(
    '%s has its entry, and its contract if it has routes',
    (name, routes) => {
      const files = globSync('*.ts', { cwd: join(ROOT, 'functions', name) })
      expect(files).toContain('index.ts')
      expect(files.includes('routes.ts')).toBe(Object.keys(routes).length > 0)
    },
  )
})

test('files and folders are in kebab-case', () => {
  const wrong = SOURCES.filter(
    (file) => !/^([a-z0-9]+(-[a-z0-9]+)*\/)*[a-z0-9]+([-.][a-z0-9]+)*\.ts$/.test(file),
  )
  expect(wrong).toEqual([])
})

test('no test is left out for good, and none runs alone', () => {
  const wrong = SOURCES.filter((file) => file.endsWith('.test.ts')).filter((file) =>
    /\b(test|it|describe)\.(only|skip|todo|fails)\b/.test(codeOf(file)),
  )
  expect(wrong).toEqual([])
})
