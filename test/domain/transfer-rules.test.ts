import { describe, expect, test } from 'vitest'
import { standings } from '../../shared/domain/holdings.ts'
import type { License } from '../../shared/domain/license.ts'
import { isRefusal } from '../../shared/domain/refusal.ts'
import { Tenant } from '../../shared/domain/tenant.ts'
import {
  isWhatWasApproved,
  movingLicense,
  movingWith,
  needsBoth,
  succeed,
} from '../../shared/domain/transfer-rules.ts'
import { TenantId, TransferId } from '../../shared/platform/ids.ts'
import { aLicense, at, holdingsOf, type LicenseOverrides, licenseId, TENANT } from '../support/licenses.ts'

const NOW = at('2026-06-01T12:00:00Z')
const ID = TransferId.parse(`trf_${'0'.repeat(26)}`)
const RECEIVER = TenantId.parse(`ten_${'2'.repeat(26)}`)

const movable = (overrides: LicenseOverrides = {}) =>
  aLicense({ rules: { transfer: { allowed: true } }, ...overrides })

const move = (licenses: readonly License[], number = 1, isGenuine = (_: License) => true) =>
  movingWith(standings(holdingsOf(licenses), NOW, isGenuine), licenseId(number), NOW)
const saidOf = (outcome: ReturnType<typeof move>) =>
  isRefusal(outcome) ? outcome.refused : outcome.map(({ id }) => Number(id.slice(4)))

describe('whether a license may move', () => {
  const top = (number: number, overrides: LicenseOverrides = {}) =>
    aLicense({ id: licenseId(number), type: 'TOPUP', extends: licenseId(1), ...overrides })

  test.each<[string, LicenseOverrides, string | number[]]>([
    ['one whose plan says so', {}, [1]],
    ['one whose plan says nothing', { rules: {} }, 'TRANSFER_NOT_ALLOWED'],
    ['one whose plan says no', { rules: { transfer: { allowed: false } } }, 'TRANSFER_NOT_ALLOWED'],
    ['one to come', { validFrom: '2026-07-01T00:00:00Z' }, [1]],
    ['one in grace', { expiresAt: '2026-05-31T00:00:00Z', graceEndsAt: '2026-06-30T00:00:00Z' }, [1]],
    ['one that expired', { expiresAt: '2026-05-31T00:00:00Z' }, 'TRANSITION_NOT_ALLOWED'],
    ['a suspended one', { suspendedAt: '2026-05-31T00:00:00Z' }, 'TRANSITION_NOT_ALLOWED'],
    ['a revoked one', { revokedAt: '2026-05-31T00:00:00Z' }, 'TRANSITION_NOT_ALLOWED'],
    ['one that is not applied yet', { appliedAt: undefined }, [1]],
    [
      'one that its holder deleted',
      { appliedAt: undefined, deletedAt: '2026-05-31T00:00:00Z' },
      'TRANSITION_NOT_ALLOWED',
    ],
    ['one bound to machines', { fingerprints: ['machine-one'] }, 'LICENSE_MISMATCH'],
    [
      'one for a site',
      { rules: { transfer: { allowed: true }, site: { domains: ['a.edu'] } } },
      'LICENSE_MISMATCH',
    ],
    ['a top-up by itself', { type: 'TOPUP', extends: licenseId(9) }, 'LICENSE_MISMATCH'],
  ])('%s', (_, overrides, wanted) => {
    expect(saidOf(move([movable(overrides)]))).toEqual(wanted)
  })

  test.each<[string, LicenseOverrides, string | number[]]>([
    ['moves with it', {}, [1, 2]],
    ['stays where it is over', { expiresAt: '2026-05-31T00:00:00Z' }, [1]],
    ['stays where it is revoked', { revokedAt: '2026-05-31T00:00:00Z' }, [1]],
    ['stays where it was deleted', { appliedAt: undefined, deletedAt: '2026-05-31T00:00:00Z' }, [1]],
    ['moves where it is not applied yet', { appliedAt: undefined }, [1, 2]],
    ['keeps it where it is suspended', { suspendedAt: '2026-05-31T00:00:00Z' }, 'TRANSITION_NOT_ALLOWED'],
    [
      'keeps it where its own plan says no',
      { rules: { transfer: { allowed: false } } },
      'TRANSFER_NOT_ALLOWED',
    ],
  ])('what extends it %s', (_, overrides, wanted) => {
    expect(saidOf(move([movable(), top(2, overrides), top(3, { extends: licenseId(9) })]))).toEqual(wanted)
  })

  test('a tampered row does not move, nor does what it extends', () => {
    const licenses = [movable(), top(2)]
    for (const number of [1, 2])
      expect(saidOf(move(licenses, 1, ({ id }) => id !== licenseId(number)))).toBe('LICENSE_TAMPERED')
  })

  test('so many times in any year, counted to the instant', () => {
    const twice = (...transfers: string[]) =>
      move([movable({ rules: { transfer: { allowed: true, perYear: 2 } }, transfers })])
    expect(saidOf(twice('2026-01-01T00:00:00Z'))).toEqual([1])
    expect(saidOf(twice('2025-06-01T12:00:00Z', '2026-01-01T00:00:00Z'))).toEqual([1])
    const full = twice('2025-06-01T12:00:00.001Z', '2026-01-01T00:00:00Z')
    expect(full).toMatchObject({
      refused: 'TRANSFERS_EXHAUSTED',
      detail: expect.stringContaining('2026-06-01T12:00:00.001Z'),
    })
  })

  test('both sides approve what is for good, or what a plan says so of, extensions included', () => {
    const strict = { transfer: { allowed: true, approval: true } }
    expect(needsBoth([movable()])).toBe(false)
    expect(needsBoth([movable({ term: 'perpetual', expiresAt: undefined })])).toBe(true)
    expect(needsBoth([movable(), top(2, { rules: strict })])).toBe(true)
  })

  test('what was approved moves, and nothing else', () => {
    const [base, extension] = [movable(), top(2)]
    const list = [base, extension].map(movingLicense)
    expect(isWhatWasApproved(list, [extension, base])).toBe(true)
    expect(isWhatWasApproved(list, [base])).toBe(false)
    expect(isWhatWasApproved(list, [base, { ...extension, revision: 2 }])).toBe(false)
    expect(isWhatWasApproved(list.slice(0, 1), [base, extension])).toBe(false)
  })
})

describe('what comes of it', () => {
  const receiver = Tenant.parse({
    id: RECEIVER,
    name: 'Receiver',
    customerId: 'C-2',
    timeZone: 'UTC',
    createdAt: NOW,
    revision: 1,
  })
  const ids = new Map([1, 2].map((number) => [licenseId(number), licenseId(number + 10)]))
  const base = movable({
    revision: 7,
    reference: 'R-1',
    productInstanceId: 'of the giver',
    extendedBy: [licenseId(2), licenseId(3)],
    maintenanceEndsAt: '2026-12-01T00:00:00Z',
    transfers: ['2024-01-01T00:00:00Z', '2026-02-01T00:00:00Z'],
    lastSeenStatus: 'ACTIVE',
  })
  const extension = aLicense({ id: licenseId(2), type: 'VALIDITY', extends: licenseId(1), limits: {} })
  const moved = succeed([base, extension], ids, receiver, ID, NOW)
  if (isRefusal(moved)) throw new Error(moved.detail)
  const [first, second] = moved

  test('the old one is revoked for good, and says by what', () => {
    expect(first?.old).toMatchObject({
      id: licenseId(1),
      revision: 8,
      revokedAt: NOW,
      signedAt: NOW,
      transferredBy: ID,
      tenantId: TENANT,
    })
    expect(first?.old.revocationReason).toContain(ID)
  })

  test('the new one has what was left, and nothing of its last holder’s', () => {
    const { signature: _, keyHash: __, keyHint: ___, lastSeenStatus: ____, ...kept } = base
    const { productInstanceId: _____, ...facts } = kept
    expect(first?.next).toEqual({
      ...facts,
      id: licenseId(11),
      revision: 1,
      tenantId: receiver.id,
      customer: { id: 'C-2', name: 'Receiver' },
      extendedBy: [licenseId(12)],
      validFrom: NOW,
      signedAt: NOW,
      issuedAt: NOW,
      appliedAt: NOW,
      receivedBy: ID,
      transfers: [at('2026-02-01T00:00:00Z'), NOW],
    })
    expect(second?.next).toMatchObject({ id: licenseId(12), extends: licenseId(11), type: 'VALIDITY' })
    expect(JSON.stringify([first?.next, second?.next])).not.toMatch(
      new RegExp([TENANT, licenseId(1), licenseId(2), licenseId(3), 'C-1001'].join('|')),
    )
  })

  test('what nobody has applied is for its next holder to apply, each license for itself', () => {
    const moved = succeed([base, { ...extension, appliedAt: undefined }], ids, receiver, ID, NOW)
    if (isRefusal(moved)) throw new Error(moved.detail)
    expect(moved.map(({ next }) => next.appliedAt)).toEqual([NOW, undefined])
  })

  test('a start to come stays, and so does a time that is over and was extended', () => {
    const startOf = (overrides: LicenseOverrides) => {
      const moved = succeed([movable(overrides)], ids, receiver, ID, NOW)
      if (isRefusal(moved)) throw new Error(moved.detail)
      const [one] = moved
      return one?.next.validFrom
    }
    expect(startOf({ validFrom: '2026-08-01T00:00:00Z' })).toBe(at('2026-08-01T00:00:00Z'))
    expect(startOf({ expiresAt: '2026-05-01T00:00:00Z' })).toBe(at('2026-01-01T00:00:00Z'))
  })
})
