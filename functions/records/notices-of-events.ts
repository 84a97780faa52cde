import * as z from 'zod'
import type { Event } from '../../shared/domain/event.ts'
import { type Names, namedIn, noticesOf } from '../../shared/domain/event-notices.ts'
import { LicenseId, type ProductId, type TenantId, type UserId } from '../../shared/platform/ids.ts'
import { readClock } from '../../shared/platform/time.ts'
import { findLicense } from '../../shared/store/address.ts'
import { readProduct } from '../../shared/store/catalog.ts'
import { readReadableHoldings } from '../../shared/store/license-rows.ts'
import { remindOf } from '../../shared/store/reminder.ts'
import { readUsers } from '../../shared/store/user.ts'
import { writeRow } from '../../shared/store/write.ts'
import { type Audience, notify, readAudience } from '../notify.ts'
import type { EventServices, EventStep } from './event-steps.ts'

/** Events after which everything that a tenant holds may be told at other times. */
const OF_ALL: ReadonlySet<string> = new Set(['tenant.edited', 'notices.settings-changed'])
/** Events of licenses that change nothing of when they end. */
const NO_CHANGE: ReadonlySet<string> = new Set([
  'license.seen-outside',
  'license.travel-day-used',
  'license.tampered',
])

/**
 * Notes whom an event is to be told, and has the reminders of a license looked at anew when it changes. Both are done
 * once, however often the event comes.
 */
export const tellOfEvents: EventStep = async (events, services) => {
  const [first] = events
  if (first === undefined) return
  const { tenantId } = first
  if (tenantId !== undefined) await lookAtReminders(events, tenantId, services)
  const names = await readNames(events, tenantId, services)
  const told = events.flatMap((event) => drafts(event, names, services))
  if (told.length === 0) return
  const audience = await readAudience(services.table, tenantId)
  if (audience === undefined) return
  let staff: Promise<Audience | undefined> | undefined
  const readStaff = () => (staff ??= readAudience(services.table, undefined))
  for (const draft of told) await notify(services.table, audience, draft, readStaff)
}

/** An event that is not as it should be is told nobody; it must not keep the others from being told. */
function drafts(event: Event, names: Names, { log }: EventServices) {
  try {
    return noticesOf(event, names)
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error
    log('error', 'notice', { requestId: event.requestId, subject: `${event.type} ${event.id}` }, error)
    return []
  }
}

async function lookAtReminders(
  events: readonly Event[],
  tenantId: TenantId,
  { table }: EventServices,
): Promise<void> {
  // Its own instant, unlike that of a timer filed for another event of the same moment: who works on that one sees it.
  const now = readClock()
  const due = new Set<ProductId>()
  for (const { type, subject } of events) {
    if (OF_ALL.has(type))
      // A row that cannot be read must not keep the stream waiting.
      for (const { holdings } of await readReadableHoldings(table, tenantId)) due.add(holdings.productId)
    const id = LicenseId.safeParse(subject.id)
    if (!id.success || !type.startsWith('license.') || NO_CHANGE.has(type)) continue
    const address = await findLicense(table, id.data)
    if (address?.tenantId === tenantId) due.add(address.productId)
  }
  await Promise.all([...due].map((productId) => writeRow(table, remindOf(tenantId, productId, now))))
}

async function readNames(
  events: readonly Event[],
  tenantId: TenantId | undefined,
  { table }: EventServices,
): Promise<Names> {
  const named = events.map(namedIn)
  const ids: UserId[] = [...new Set(named.flatMap(({ people }) => people))]
  const [people, products] = await Promise.all([
    tenantId === undefined || ids.length === 0 ? [] : readUsers(table, tenantId, ids),
    Promise.all([...new Set(named.flatMap((one) => one.products))].map((id) => readProduct(table, id))),
  ])
  const byId = new Map(people.map((person) => [person.id, person]))
  return {
    product: (id) => products.find((product) => product?.id === id)?.name ?? id,
    person: (id) => byId.get(id) ?? { name: id },
  }
}
