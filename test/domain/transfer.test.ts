import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { type OpenTransfer, SIDES, stateAt, type Transfer, type Who } from '../../shared/domain/transfer.ts'
import { movingLicense } from '../../shared/domain/transfer-rules.ts'
import {
  approved,
  canceledBy,
  executed,
  failed,
  refusedBy,
  requested,
  takenUp,
} from '../../shared/domain/transfer-steps.ts'
import { transferView } from '../../shared/domain/transfer-view.ts'
import { TenantId, TransferId } from '../../shared/platform/ids.ts'
import { DAY, plusMilliseconds } from '../../shared/platform/time.ts'
import { aLicense, at, type LicenseOverrides, licenseId, TENANT } from '../support/licenses.ts'

const NOW = at('2026-06-01T12:00:00Z')
const ID = TransferId.parse(`trf_${'0'.repeat(26)}`)
const other = (digit: string) => TenantId.parse(`ten_${digit.repeat(26)}`)
const [RECEIVER, STRANGER] = [
  { tenantId: other('2'), name: 'Receiver' },
  { tenantId: other('3'), name: 'S' },
]
const GIVER = { tenantId: TENANT, name: 'Example University' }

const movable = (overrides: LicenseOverrides = {}) =>
  aLicense({ rules: { transfer: { allowed: true } }, ...overrides })

/** What an outcome is, in short: the code of a refusal, or the state. */
const said = (outcome: Transfer | Refusal, now = NOW) =>
  isRefusal(outcome) ? outcome.refused : stateAt(outcome, now)

function must<T>(outcome: T | Refusal): T {
  if (isRefusal(outcome)) throw new Error(`${outcome.refused}: ${outcome.detail}`)
  return outcome
}

function open(overrides: Partial<Parameters<typeof requested>[0]> = {}): OpenTransfer {
  const license = movable()
  const order = {
    id: ID,
    product: { id: license.productId, code: 'edu', name: 'Education' },
    licenses: [movingLicense(license)],
    giving: GIVER,
    twoParty: true,
    askedBy: 'giving' as const,
    ...overrides,
  }
  return must(requested(order, NOW))
}

const EXPOSURE = {
  filesVerifyUntil: null,
  leases: { count: 0 },
  borrowed: { count: 0 },
  machines: 0,
  offlineMachines: { count: 0 },
}
const execute = (transfer: Transfer) => {
  if (transfer.state !== 'approved') throw new Error('not approved')
  const successors = new Map([[licenseId(1), licenseId(2)]])
  return executed(transfer, successors, EXPOSURE, NOW)
}

const asked = open()
const known = must(takenUp(asked, RECEIVER, NOW))
const givenBy = must(approved(known, 'giving', undefined, NOW))
const both = must(approved(givenBy, 'receiving', undefined, NOW))
const done = execute(both)
const stuck = both.state === 'approved' ? failed(both, refuse('ARCHIVED', 'gone'), NOW) : both
const refused = must(refusedBy(known, 'receiving', 'no', NOW))
const canceled = must(canceledBy(known, 'giving', undefined, NOW))

const WHO: readonly Who[] = [...SIDES, 'vendor']
type Action = 'approve' | 'refuse' | 'cancel'
const actions: Record<Action, (transfer: Transfer, who: Who, now?: typeof NOW) => Transfer | Refusal> = {
  approve: (transfer, who, now = NOW) => approved(transfer, who, undefined, now),
  refuse: (transfer, who, now = NOW) => refusedBy(transfer, who, undefined, now),
  cancel: (transfer, who, now = NOW) => canceledBy(transfer, who, undefined, now),
}

describe('what each may do in each state', () => {
  const NO = 'TRANSITION_NOT_ALLOWED'
  const CANCEL = { giving: 'CANCELED', receiving: NO, vendor: NO }
  const all = (answer: string) => ({ giving: answer, receiving: answer, vendor: answer })
  const OVER = { approve: all('TRANSFER_OVER'), refuse: all('TRANSFER_OVER'), cancel: all('TRANSFER_OVER') }

  test.each<[string, Transfer, Record<Action, Record<Who, string>>]>([
    ['requested', asked, { approve: all(NO), refuse: all('REFUSED'), cancel: CANCEL }],
    [
      'taken up',
      known,
      { approve: { ...all('REQUESTED'), vendor: 'APPROVED' }, refuse: all('REFUSED'), cancel: CANCEL },
    ],
    [
      'approved by one',
      givenBy,
      { approve: { ...all('APPROVED'), giving: 'REQUESTED' }, refuse: all('REFUSED'), cancel: CANCEL },
    ],
    [
      'approved by both',
      both,
      {
        approve: all('APPROVED'),
        refuse: { ...all('TRANSFER_OVER'), vendor: 'REFUSED' },
        cancel: all('TRANSFER_OVER'),
      },
    ],
    ['executed', done, OVER],
    ['failed', stuck, OVER],
    ['refused', refused, OVER],
    ['canceled', canceled, OVER],
  ])('%s', (_, transfer, wanted) => {
    const found = Object.fromEntries(
      Object.entries(actions).map(([name, act]) => [
        name,
        Object.fromEntries(WHO.map((who) => [who, said(act(transfer, who))])),
      ]),
    )
    expect(found).toEqual(wanted)
  })

  test('who asked cancels, and nobody else', () => {
    const staffs = open({ askedBy: 'vendor' })
    expect(WHO.map((who) => said(actions.cancel(staffs, who)))).toEqual([NO, NO, 'CANCELED'])
  })

  test('it is complete with a word of each side; vendor staff say that of one side, or of both', () => {
    expect([known, givenBy, both].map((one) => said(one))).toEqual(['REQUESTED', 'REQUESTED', 'APPROVED'])
    const byStaff = must(approved(known, 'vendor', 'receiving', NOW))
    expect(byStaff.approvals).toEqual({ receiving: { at: NOW, by: 'vendor' } })
    expect(must(approved(byStaff, 'giving', undefined, NOW)).approvals.giving?.by).toBe('tenant')
    const forBoth = must(approved(known, 'vendor', undefined, NOW))
    expect([forBoth, both].map((one) => execute(one).closedBy)).toEqual(['vendor', 'receiving'])
  })

  test('a side does not say it for the other, and saying it twice changes nothing', () => {
    expect(said(approved(known, 'giving', 'receiving', NOW))).toBe('INVALID_REQUEST')
    expect(approved(givenBy, 'giving', undefined, NOW)).toBe(givenBy)
  })

  test('where one word is enough, asking is the giving side’s', () => {
    const single = must(takenUp(open({ twoParty: false }), RECEIVER, NOW))
    expect(said(single)).toBe('REQUESTED')
    expect(said(approved(single, 'receiving', undefined, NOW))).toBe('APPROVED')
  })

  test('the code is for one tenant, and not for the one that holds the license', () => {
    expect(takenUp(known, RECEIVER, NOW)).toBe(known)
    for (const transfer of [known, done, refused])
      expect(said(takenUp(transfer, STRANGER, NOW))).toBe('NOT_FOUND')
    expect(said(takenUp(asked, GIVER, NOW))).toBe('TRANSFER_NOT_ALLOWED')
    expect(said(takenUp(done, RECEIVER, NOW))).toBe('TRANSFER_OVER')
  })
})

describe('a lapse', () => {
  test('is at its instant, with nothing having run', () => {
    const end = plusMilliseconds(NOW, 14 * DAY)
    const before = plusMilliseconds(end, -1)
    expect([stateAt(known, before), stateAt(known, end)]).toEqual(['REQUESTED', 'LAPSED'])
    for (const act of Object.values(actions)) {
      expect(said(act(known, 'giving', before), before)).not.toBe('TRANSFER_OVER')
      expect(said(act(known, 'giving', end))).toBe('TRANSFER_OVER')
    }
    expect(said(takenUp(asked, RECEIVER, end))).toBe('TRANSFER_OVER')
    expect(stateAt(both, end)).toBe('APPROVED')
    expect(transferView(known, 'giving', end).awaits).toEqual([])
  })

  test.each([
    ['now', 0, false],
    ['a moment ahead', 1, true],
    ['90 days ahead', 90 * DAY, true],
    ['later', 90 * DAY + 1, false],
  ])('%s: can be asked for or not', (_, ahead, possible) => {
    const ask = () => open({ lapsesAt: plusMilliseconds(NOW, ahead) })
    if (possible) expect(ask().lapsesAt).toBe(plusMilliseconds(NOW, ahead))
    else expect(ask).toThrow('INVALID_REQUEST')
  })
})

test('whatever is done in whatever order, it is complete only with a word for each side, and over for good', () => {
  const step = fc.record({
    action: fc.constantFrom<Action | 'take'>('approve', 'refuse', 'cancel', 'take'),
    who: fc.constantFrom(...WHO),
    days: fc.integer({ min: 0, max: 3 }),
  })
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { maxLength: 12 }), (twoParty, steps) => {
      let transfer: Transfer = open({ twoParty })
      let now = NOW
      const said = new Set<string>(twoParty ? [] : ['giving'])
      for (const { action, who, days } of steps) {
        now = plusMilliseconds(now, days * DAY)
        const before = stateAt(transfer, now)
        const next: Transfer | Refusal =
          action === 'take' ? takenUp(transfer, RECEIVER, now) : actions[action](transfer, who, now)
        if (isRefusal(next)) continue
        expect(before).toBe('REQUESTED')
        if (action === 'approve') for (const side of who === 'vendor' ? SIDES : [who]) said.add(side)
        transfer = next
        if (transfer.state !== 'requested' && transfer.state !== 'approved') continue
        expect(transfer.state === 'approved').toBe(said.size === 2 && transfer.receiving !== undefined)
        if (transfer.state === 'approved') return
      }
    }),
  )
})

describe('what is shown', () => {
  test('of the other side is its name; of the license, its own id', () => {
    const [giving, receiving, vendor] = WHO.map((who) => JSON.stringify(transferView(done, who, NOW)))
    expect(giving).toContain(licenseId(1))
    expect(giving).toContain('"exposure"')
    expect(giving).not.toContain(licenseId(2))
    expect(giving).not.toContain(RECEIVER.tenantId)
    expect(giving).toContain(RECEIVER.name)
    expect(receiving).toContain(licenseId(2))
    expect(receiving).not.toContain(licenseId(1))
    expect(receiving).not.toContain('"exposure"')
    expect(receiving).not.toContain(TENANT)
    for (const all of [licenseId(1), licenseId(2), TENANT, RECEIVER.tenantId]) expect(vendor).toContain(all)
  })

  test('is what it waits for', () => {
    expect([asked, known, givenBy].map((one) => transferView(one, 'vendor', NOW).awaits)).toEqual([
      ['receiver', 'giving', 'receiving'],
      ['giving', 'receiving'],
      ['receiving'],
    ])
  })
})
