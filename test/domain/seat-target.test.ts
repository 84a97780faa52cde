import { expect, test } from 'vitest'
import { Module } from '../../shared/domain/catalog.ts'
import { type Ask, targetOf } from '../../shared/domain/seat-target.ts'

const modules = [
  { code: 'alone', name: 'Alone', seat: { metric: 'a', excludes: ['observe'] } },
  { code: 'learn', name: 'Learn', seat: { metric: 'l' } },
  { code: 'observe', name: 'Observe', seat: { metric: 'o' } },
  { code: 'both', name: 'Both', seat: { metric: 'b', combines: ['learn', 'observe'] } },
  { code: 'exam', name: 'Exam', seat: { metric: 'e', requires: ['learn'] } },
  { code: 'guest', name: 'Guest', seat: { metric: 'g', excludes: ['learn'] } },
].map((one) => Module.parse(one))

/** What is needed, what is held, and of what a seat is free; then what is had, and what is missing and why. */
test.each([
  ['learn', '', 'l', 'l', ''],
  ['learn', '', '', '', 'l:NO_CAPACITY'],
  ['learn', 'l', '', 'l', ''],
  ['learn observe', '', 'l o b', 'b', ''],
  ['learn observe', '', 'l o', 'l o', ''],
  ['learn observe', 'l o', 'b', 'l o', ''],
  ['learn observe', 'l', 'b', 'b', ''],
  ['learn observe', '', 'l', 'l', 'b:NO_CAPACITY+ o:NO_CAPACITY'],
  ['learn', 'b', 'l', 'l', ''],
  ['learn', 'b', '', 'b', ''],
  ['', 'b', 'l o', '', ''],
  // Who has the combined seat keeps it, whatever else is free.
  ['learn observe', 'b', 'l o b', 'b', ''],
  ['learn observe', 'b', '', 'b', ''],
  ['both', 'b', '', 'b', ''],
  ['both', '', 'b', 'b', ''],
  // One of each serves not who needs the combined module itself.
  ['both', '', 'l o', '', 'b:NO_CAPACITY'],
  ['both', 'l o', '', '', 'b:NO_CAPACITY'],
  // Who needs the combined module itself needs no other seat for its parts.
  ['both learn observe', '', 'l o b', 'b', ''],
  ['both learn', '', 'l b', 'b', ''],
  ['both learn', '', 'b', 'b', ''],
  ['both learn', 'l', 'l b', 'b', ''],
  ['both learn', '', 'l', 'l', 'b:NO_CAPACITY'],
  ['both learn observe', '', 'l o', 'l o', 'b:NO_CAPACITY'],
  // Of those that exclude each other the one that is held wins, in a combined seat as well, else the first.
  ['alone observe', '', 'a o', 'a', 'o:MUTUALLY_EXCLUSIVE'],
  ['alone observe', 'o', 'a o', 'o', 'a:MUTUALLY_EXCLUSIVE'],
  ['alone learn observe', 'b', 'a l o b', 'b', 'a:MUTUALLY_EXCLUSIVE'],
  ['alone observe', 'e', 'a o', 'a', 'o:MUTUALLY_EXCLUSIVE'],
  ['exam', '', 'e', '', 'e:MISSING_DEPENDENCY'],
  ['exam learn', '', 'e', '', 'e:MISSING_DEPENDENCY l:NO_CAPACITY'],
  ['exam learn', '', 'e l', 'e l', ''],
  ['exam learn observe', '', 'e b', 'b e', ''],
  ['exam', 'e', '', '', 'e:MISSING_DEPENDENCY'],
  ['guest learn', '', 'g l', 'l', 'g:MUTUALLY_EXCLUSIVE'],
  ['guest learn', 'g', 'g l', 'g', 'l:MUTUALLY_EXCLUSIVE'],
])(
  'who needs "%s", has "%s" and finds "%s" free gets "%s" and misses "%s"',
  (needed, held, free, had, missed) => {
    const words = (text: string) => text.split(' ').filter(Boolean)
    const ask: Ask = (metric) => (words(free).includes(metric) ? 'free' : 'NO_CAPACITY')
    const needs = new Map(words(needed).map((code) => [code, ['direct']]))
    const { seats, missing } = targetOf({ modules }, needs, new Set(words(held)), ask)
    expect(seats.map(({ metric }) => metric).toSorted()).toEqual(words(had))
    const told = missing.map(({ metric, reason, instead }) => `${metric}:${reason}${instead ? '+' : ''}`)
    expect(told.toSorted()).toEqual(words(missed))
  },
)

test('a seat says for which modules it is, and which roles they are from', () => {
  const needs = new Map([
    ['learn', ['role:student', 'role:author']],
    ['observe', ['role:student', 'direct']],
    ['exam', ['direct']],
  ])
  const target = (free: readonly string[]) =>
    targetOf({ modules }, needs, new Set(), (metric) => (free.includes(metric) ? 'free' : 'NO_CAPACITY'))
  const both = { modules: ['both', 'learn', 'observe'], sources: ['direct', 'role:author', 'role:student'] }
  const learn = { metric: 'l', modules: ['learn'], sources: ['role:author', 'role:student'] }
  const exam = { metric: 'e', modules: ['exam'], sources: ['direct'] }
  expect(target(['b', 'e'])).toEqual({ seats: [{ metric: 'b', ...both }, exam], missing: [] })
  expect(target(['l', 'e'])).toEqual({
    seats: [learn, exam],
    missing: [
      { metric: 'o', modules: ['observe'], sources: ['direct', 'role:student'], reason: 'NO_CAPACITY' },
      { metric: 'b', modules: ['both'], sources: both.sources, reason: 'NO_CAPACITY', instead: true },
    ],
  })
  expect(target(['o', 'e']).missing).toContainEqual({
    ...exam,
    reason: 'MISSING_DEPENDENCY',
    because: 'learn',
  })
})

test('modules with seats of one pool are one seat, or one place in its queue', () => {
  const shared = ['learn', 'practice'].map((code) =>
    Module.parse({ code, name: code, seat: { metric: 'l' } }),
  )
  const needs = new Map([
    ['learn', ['direct']],
    ['practice', ['role:student']],
  ])
  const both = { metric: 'l', modules: ['learn', 'practice'], sources: ['direct', 'role:student'] }
  let free = 1
  const last: Ask = () => (free-- > 0 ? 'free' : 'NO_CAPACITY')
  expect(targetOf({ modules: shared }, needs, new Set(), last)).toEqual({ seats: [both], missing: [] })
  expect(targetOf({ modules: shared }, needs, new Set(), () => 'NO_CAPACITY')).toEqual({
    seats: [],
    missing: [{ ...both, reason: 'NO_CAPACITY' }],
  })
})
