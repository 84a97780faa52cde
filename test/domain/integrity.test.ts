import { describe, expect, test } from 'vitest'
import { type Compared, judgeLicense, type LicenseRecord, recorded } from '../../shared/domain/integrity.ts'
import { licenseId, PRODUCT } from '../support/licenses.ts'

const RECORD: LicenseRecord = {
  licenseId: licenseId(1),
  productId: PRODUCT,
  eventId: 'evt_2',
  revision: 2,
  key: 'LK-…-7K3Q',
}
const VIEW = { limits: { users: 100, seats: 5 }, revision: 2, appliedAt: '2026-01-01T00:00:00.000Z' }

const judge = (changes: Partial<Compared>) =>
  judgeLicense({
    licenseId: RECORD.licenseId,
    view: VIEW,
    revision: 2,
    key: RECORD.key,
    isGenuine: true,
    record: RECORD,
    recordedView: VIEW,
    ...changes,
  }).map(({ check, differs }) => [check, ...differs.map(({ field }) => field)].join(' '))

describe('a row beside what was recorded', () => {
  test.each<[string, Partial<Compared>, string[]]>([
    ['the same', {}, []],
    ['keys of a map in another order', { view: { ...VIEW, limits: { seats: 5, users: 100 } } }, []],
    ['what follows from others is not compared', { view: { ...VIEW, status: 'GRACE', extendedBy: [] } }, []],
    ['tampered', { isGenuine: false, view: { ...VIEW, limits: { users: 7 } } }, ['license-tampered limits']],
    ['tampered in what is not shown', { isGenuine: false }, ['license-tampered']],
    ['rolled back', { revision: 1, view: { ...VIEW, revision: 1 } }, ['license-rolled-back revision']],
    [
      'a revision that nobody recorded',
      { revision: 3, view: { ...VIEW, revision: 3 } },
      ['license-unrecorded revision'],
    ],
    ['unapplied', { view: { limits: VIEW.limits, revision: 2 } }, ['license-changed appliedAt']],
    ['another key', { key: 'LK-…-AAAA' }, ['license-changed key']],
    ['nothing recorded', { record: undefined, recordedView: undefined }, ['license-unrecorded']],
    [
      'nothing recorded, and made up',
      { record: undefined, recordedView: undefined, isGenuine: false },
      ['license-unrecorded', 'license-tampered'],
    ],
    ['its event gone', { recordedView: undefined }, ['event-missing event']],
  ])('%s', (_, changes, found) => {
    expect(judge(changes)).toEqual(found)
  })
})

describe('what is recorded', () => {
  type Event = Parameters<typeof recorded>[1]
  const event = (type: string, after?: object, id = 'evt_3'): Event => ({
    id,
    type,
    subject: { type: 'license', id: RECORD.licenseId },
    after,
  })
  const view = (revision: number) => ({ productId: PRODUCT, revision, key: RECORD.key })

  test.each<[string, Event, LicenseRecord | undefined]>([
    ['a later revision', event('license.renewed', view(3)), { ...RECORD, revision: 3, eventId: 'evt_3' }],
    ['the same revision, applied', event('license.applied', view(2)), { ...RECORD, eventId: 'evt_3' }],
    ['an earlier revision that comes late', event('license.suspended', view(1)), undefined],
    ['a new key', event('license-key.rotated', { key: 'LK-…-NEW1' }), { ...RECORD, key: 'LK-…-NEW1' }],
    [
      'a change of status says nothing of the license',
      event('license.status-changed', { state: 'GRACE' }),
      undefined,
    ],
    ['nothing', event('license-key.revealed'), undefined],
    [
      'what is no license',
      { ...event('license.renewed', view(3)), subject: { type: 'user', id: 'x' } },
      undefined,
    ],
  ])('%s', (_, one, next) => {
    expect(recorded(RECORD, one)).toEqual(next)
  })
})
