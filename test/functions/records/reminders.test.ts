import { expect, test } from 'vitest'
import { tellOfEvents } from '../../../functions/records/notices-of-events.ts'
import { newEventId } from '../../../shared/platform/ids.ts'
import { licenseItem } from '../../../shared/store/holdings.ts'
import { licenseKey } from '../../../shared/store/keys.ts'
import { REMINDER_TIMER } from '../../../shared/store/reminder.ts'
import { readTimer } from '../../../shared/store/timer.ts'
import { localTable, put } from '../../store/local-table.ts'
import { aLicense, at, licenseId, PRODUCT, TENANT } from '../../support/licenses.ts'

test('a license that cannot be read keeps no reminder from being looked at, nor the stream waiting', async () => {
  const table = await localTable()
  const damaged = { ...licenseKey(TENANT, PRODUCT, licenseId(2)), entity: 'license', schema: 1 }
  await put(table, licenseItem(aLicense()), damaged)
  const now = at('2026-06-01T12:00:00Z')
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
