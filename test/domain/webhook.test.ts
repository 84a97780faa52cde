import { describe, expect, test } from 'vitest'
import type { Event } from '../../shared/domain/event.ts'
import { EventFilter, wants } from '../../shared/domain/webhook.ts'
import {
  afterAttempt,
  DISABLE_AFTER,
  disableReason,
  healthAfter,
  isTaken,
  type Sent,
  WAITS,
  type WaitingDelivery,
} from '../../shared/domain/webhook-delivery.ts'
import { LARGEST_PAYLOAD, messageIdOf, payloadOf } from '../../shared/domain/webhook-message.ts'
import { newEventId, newTenantId, newWebhookId } from '../../shared/platform/ids.ts'
import {
  DAY,
  epochMilliseconds,
  HOUR,
  Instant,
  MINUTE,
  plusMilliseconds,
} from '../../shared/platform/time.ts'

const now = Instant.parse('2026-11-22T10:00:00.000Z')
const tenantId = newTenantId(now)
const id = newWebhookId(now)
const apart = (from: Instant, to: Instant | undefined) =>
  to === undefined ? undefined : epochMilliseconds(to) - epochMilliseconds(from)

describe('filters', () => {
  test.each([
    ['license.renewed', true],
    ['license.*', true],
    ['*', true],
    ['license-key.*', true],
    ['license', false],
    ['license.', false],
    ['lic*', false],
    ['*.renewed', false],
    ['license.exploded', false],
    ['constructor', false],
    ['', false],
  ])('%s is one: %s', (filter, is) => {
    expect(EventFilter.safeParse(filter).success).toBe(is)
  })

  test('take what they name, and what only looks alike not', () => {
    expect(wants(['license.*'], 'license.renewed')).toBe(true)
    expect(wants(['license.*'], 'license-key.rotated')).toBe(false)
    expect(wants(['license.renewed'], 'license.revoked')).toBe(false)
    expect(wants(['seat.*', 'license.renewed'], 'license.renewed')).toBe(true)
    expect(wants(['*'], 'license.renewed')).toBe(true)
  })
})

const waiting = (failures = 0): WaitingDelivery => ({
  eventId: newEventId(now),
  type: 'license.renewed',
  log: tenantId,
  createdAt: now,
  attempts: failures,
  failures,
  state: 'waiting',
  dueAt: now,
  taken: true,
})
const answered = (status: number, more: Partial<Sent> = {}): Sent => ({ milliseconds: 10, status, ...more })
const silent: Sent = { milliseconds: 5_000, error: 'No answer within 5000 ms.' }

describe('a delivery', () => {
  test('is taken by 2xx and by nothing else', () => {
    for (const status of [200, 201, 204, 299]) expect(isTaken(answered(status))).toBe(true)
    for (const status of [100, 199, 300, 301, 302, 304, 307, 400, 404, 500])
      expect(isTaken(answered(status))).toBe(false)
    expect(isTaken(silent)).toBe(false)
    expect(afterAttempt(waiting(), answered(204), now, 0.5)).toMatchObject({
      state: 'delivered',
      attempts: 1,
    })
  })

  test('that fails is repeated later and later, over days, and then given up', () => {
    let delivery = waiting()
    const waits: unknown[] = []
    for (;;) {
      const next = afterAttempt(delivery, answered(500), now, 0.5)
      if (next.state !== 'waiting') {
        expect(next).toMatchObject({ state: 'failed', attempts: 10 })
        break
      }
      expect(next.taken).toBeUndefined()
      waits.push(apart(now, next.dueAt))
      delivery = next
    }
    expect(waits).toEqual(WAITS)
    expect(waits.slice(0, 3)).toEqual([30_000, 5 * MINUTE, 30 * MINUTE])
    expect(WAITS.reduce((sum, one) => sum + one)).toBeGreaterThan(3 * DAY)
  })

  test('is not repeated at the same moment as others that failed with it', () => {
    const due = [0, 0.5, 1].map((random) => {
      const next = afterAttempt(waiting(2), silent, now, random)
      return next.state === 'waiting' ? apart(now, next.dueAt) : undefined
    })
    expect(due).toEqual([24 * MINUTE, 30 * MINUTE, 36 * MINUTE])
  })

  test('waits as long as it is asked to, within reason', () => {
    const dueAfter = (retryAfter: number) => {
      const next = afterAttempt(waiting(), answered(429, { retryAfter }), now, 0.5)
      return next.state === 'waiting' ? apart(now, next.dueAt) : undefined
    }
    expect(dueAfter(120_000)).toBe(120_000)
    expect(dueAfter(10 * DAY)).toBe(HOUR)
    expect(dueAfter(-5)).toBe(30_000)
  })

  test('to an endpoint that is gone is given up at once', () => {
    expect(afterAttempt(waiting(), answered(410), now, 0.5)).toMatchObject({ state: 'failed' })
    expect(disableReason(undefined, answered(410), now)).toBe('gone')
  })
})

describe('an endpoint', () => {
  test('that is down is left alone longer and longer, half an hour at most', () => {
    let health = healthAfter(undefined, silent, now, 0.5)
    const pauses = [apart(now, health?.pausedUntil)]
    for (let times = 0; times < 9; times += 1) {
      health = healthAfter(health, answered(503), now, 0.5)
      pauses.push(apart(now, health?.pausedUntil))
    }
    expect(pauses.slice(0, 3)).toEqual([30_000, 60_000, 120_000])
    expect(pauses.at(-1)).toBe(30 * MINUTE)
  })

  test('that does not want one message is still given the others', () => {
    expect(healthAfter(undefined, answered(422), now, 0.5)).toMatchObject({ failingSince: now, failures: 0 })
    expect(healthAfter(undefined, answered(422), now, 0.5)?.pausedUntil).toBeUndefined()
  })

  test('is well again by one success; only what is news is written', () => {
    const failing = healthAfter(undefined, { ...silent, milliseconds: 10 }, now, 0.5)
    const well = healthAfter(failing, answered(200), now, 0.5)
    expect(well).toEqual({ lastDeliveredAt: now, lastFailure: { at: now, reason: silent.error } })
    expect(healthAfter(well, answered(200), plusMilliseconds(now, 30_000), 0.5)).toBeUndefined()
    expect(healthAfter(well, answered(200), plusMilliseconds(now, MINUTE), 0.5)).toBeDefined()
  })

  test('that took long has lost the fast lane for an hour, whatever it answered', () => {
    const slow = healthAfter(undefined, answered(200, { milliseconds: 2_500 }), now, 0.5)
    expect(apart(now, slow?.slowUntil)).toBe(HOUR)
    const later = plusMilliseconds(now, 2 * MINUTE)
    expect(healthAfter(slow, answered(200), later, 0.5)?.slowUntil).toBe(slow?.slowUntil)
  })

  test('is disabled after five days without a success', () => {
    const health = { failingSince: now }
    const almost = plusMilliseconds(now, DISABLE_AFTER - 1)
    expect(disableReason(health, silent, almost)).toBeUndefined()
    expect(disableReason(health, silent, plusMilliseconds(now, DISABLE_AFTER))).toBe('failing')
    expect(disableReason(health, answered(200), plusMilliseconds(now, DISABLE_AFTER))).toBeUndefined()
  })
})

describe('a message', () => {
  const event: Event = {
    id: newEventId(now),
    type: 'license.suspended',
    at: now,
    tenantId,
    actor: { kind: 'vendor', subject: 'staff_1', role: 'vendor:issuer' },
    subject: { type: 'license', id: 'lic_1' },
    after: { status: 'SUSPENDED' },
    reason: 'unpaid',
    requestId: 'request-1',
  }
  test('tells what happened', () => {
    expect(JSON.parse(payloadOf(event, 'https://licensing.example.test/there'))).toEqual({
      type: 'license.suspended',
      timestamp: now,
      data: {
        eventId: event.id,
        tenantId,
        actor: event.actor,
        subject: event.subject,
        reason: 'unpaid',
        after: { status: 'SUSPENDED' },
      },
    })
  })

  test('that would be too large says where the rest is', () => {
    const large = { ...event, after: { text: 'é'.repeat(LARGEST_PAYLOAD / 2) } }
    const payload = payloadOf(large, 'https://licensing.example.test/there')
    expect(Buffer.byteLength(payload)).toBeLessThan(LARGEST_PAYLOAD)
    expect(JSON.parse(payload)).toMatchObject({
      data: { eventId: event.id, truncated: true, link: 'https://licensing.example.test/there' },
    })
  })

  test('has an id of the event and the endpoint, without full stops', () => {
    expect(messageIdOf(event.id, id)).toBe(`${event.id}_${id}`)
    expect(messageIdOf(event.id, id)).not.toContain('.')
  })
})
