import { expect, test } from 'vitest'
import { outdated, untilFresh } from '../../functions/until-fresh.ts'
import { refuse } from '../../shared/domain/refusal.ts'

/** Loses so many races, then has this answer. */
function losing<T>(races: number, answer: T) {
  let tries = 0
  return async () => (tries++ < races ? outdated : answer)
}

test('who loses a race decides again, and has the answer of who comes later', async () => {
  expect(await untilFresh(losing(3, 'done'))).toBe('done')
})

test('who loses each time is told that nothing was changed, and when to come again', async () => {
  const answer = await untilFresh(losing(Number.POSITIVE_INFINITY, 'done'))
  expect(answer).toMatchObject({ refused: 'CONTENDED', retryAfter: 1 })
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
