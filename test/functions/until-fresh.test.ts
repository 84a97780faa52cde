import { expect, test } from 'vitest'
import * as z from 'zod'
import { outdated, untilFresh } from '../../functions/until-fresh.ts'
import { refuse } from '../../shared/domain/refusal.ts'
import { problemOf, send, smallService } from '../platform/small-service.ts'

/** Loses so many races, then has this answer. */
function losing<T>(races: number, answer: T) {
  let tries = 0
  return async () => (tries++ < races ? outdated : answer)
}

test('who loses a race decides again, and has the answer of who comes later', async () => {
  expect(await untilFresh(losing(3, 'done'))).toBe('done')
})

test('who loses each time is told that nothing was changed, and when to come again', async () => {
  const route = { method: 'POST', path: '/races', access: 'public', errors: [], summary: 'Race' } as const
  const success = { status: 200, body: z.string() } as const
  const lose = () => untilFresh(losing(Number.POSITIVE_INFINITY, 'done'))
  const answer = await send(smallService({ race: { ...route, success } }, { race: lose }), 'POST /races')
  expect([answer.statusCode, problemOf(answer).code, answer.headers['retry-after']]).toEqual([
    503,
    'CONTENDED',
    '1',
  ])
})

test('any other refusal is the answer at once', async () => {
  const gone = refuse('NOT_FOUND', 'There is no such thing.')
  let tries = 0
  const attempt = async () => {
    tries += 1
    return gone
  }
  expect(await untilFresh(attempt)).toBe(gone)
  expect(tries).toBe(1)
})
