import { expect, test } from 'vitest'
import { Module } from '../../shared/domain/catalog.ts'
import { type Ask, targetOf } from '../../shared/domain/seat-target.ts'

const modules = [
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
