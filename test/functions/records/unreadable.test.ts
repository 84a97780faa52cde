import { expect, test } from 'vitest'
import { followLicenses } from '../../../functions/records/follow-licenses.ts'
import { followRows } from '../../../functions/records/follow-rows.ts'
import { tellOfEvents } from '../../../functions/records/notices-of-events.ts'
import { newEventId, newOrganizationId } from '../../../shared/platform/ids.ts'
import { licenseItem } from '../../../shared/store/holdings.ts'
import { licenseKey, licenseRecordKey, recordedRowKey } from '../../../shared/store/keys.ts'
import { readLicenseRecords } from '../../../shared/store/license-record.ts'
import { readRecordedRows } from '../../../shared/store/recorded-row.ts'
import { REMINDER_TIMER } from '../../../shared/store/reminder.ts'
import { readTimer } from '../../../shared/store/timer.ts'
import { localTable, put } from '../../store/local-table.ts'
import { aLicense, at, licenseId, PRODUCT, TENANT } from '../../support/licenses.ts'

const now = at('2026-06-01T12:00:00Z')

test('what was noted of a license and cannot be read is noted anew with its next event', async () => {
  const table = await localTable()
  await put(table, { ...licenseRecordKey(TENANT, licenseId(1)), entity: 'license-record', schema: 1 })
  const event = {
    id: newEventId(now),
    type: 'license.renewed',
    at: now,
    tenantId: TENANT,
    actor: { kind: 'system', subject: 'test' },
    subject: { type: 'license', id: licenseId(1) },
    after: { productId: PRODUCT, revision: 2, key: '…ABCD' },
    requestId: 'test',
  } as const
  const errors: unknown[] = []
  await followLicenses([event], { table, log: (...line) => errors.push(line) })
  expect(errors).toHaveLength(1)
  const records = await readLicenseRecords(table, TENANT, (error) => errors.push(error))
  expect([...records.values()]).toMatchObject([{ licenseId: licenseId(1), eventId: event.id, revision: 2 }])
  expect(errors).toHaveLength(1)
})

test('what was noted of a row and cannot be read keeps what is said of others from nobody', async () => {
  const table = await localTable()
  await put(table, { ...recordedRowKey(TENANT, 'tenant', TENANT), entity: 'recorded-row', schema: 1 })
  const edited = (type: 'tenant' | 'organization', id: string) =>
    ({
      id: newEventId(now),
      type: `${type}.edited`,
      at: now,
      tenantId: TENANT,
      actor: { kind: 'system', subject: 'test' },
      subject: { type, id },
      after: { name: 'Another', revision: 2 },
      requestId: 'test',
    }) as const
  const organization = newOrganizationId(now)
  await followRows([edited('tenant', TENANT), edited('organization', organization)], {
    table,
    log: () => undefined,
  })
  const records = await readRecordedRows(table, TENANT, () => undefined)
  expect(records.map(({ id }) => id).toSorted()).toEqual([organization, TENANT].toSorted())
})

test('a license that cannot be read keeps no reminder from being looked at, nor the stream waiting', async () => {
  const table = await localTable()
  const damaged = { ...licenseKey(TENANT, PRODUCT, licenseId(2)), entity: 'license', schema: 1 }
  await put(table, licenseItem(aLicense()), damaged)
  const event = {
    id: newEventId(now),
    type: 'tenant.edited',
    at: now,
    tenantId: TENANT,
    actor: { kind: 'system', subject: 'test' },
    subject: { type: 'tenant', id: TENANT },
    requestId: 'test',
  } as const
  await tellOfEvents([event], { table, log: () => undefined })
  expect(await readTimer(table, { kind: REMINDER_TIMER, subject: [TENANT, PRODUCT] })).toBeDefined()
})
