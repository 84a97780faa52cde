import { seatWay, strangerWay } from '../../shared/domain/explain-seat.ts'
import type { Person, Way } from '../../shared/domain/explain-ways.ts'
import { isQueued, type PoolName, poolName } from '../../shared/domain/seat.ts'
import type { User } from '../../shared/domain/user.ts'
import { UserId } from '../../shared/platform/ids.ts'
import { readQueue } from '../../shared/store/seat-pool.ts'
import type { Table } from '../../shared/store/transact.ts'
import { findUser, readPerson } from '../../shared/store/user.ts'
import type { AskedProduct } from '../asked-product.ts'
import { readSeating } from '../seating/seating.ts'
import { findIdle } from '../seating/seats-exhausted.ts'
import type { VerifyingServices } from '../verified.ts'
import type { AskedBy } from './explain-sight.ts'

/** People of a queue who are looked at for the place of one. */
const LOOKED_AT = 500

/**
 * The person's seats of the product, where the tenant's people have seats of it; read as the operations on seats read
 * them.
 */
export async function aboutSeats(
  asker: Pick<AskedBy, 'caller' | 'now'>,
  { tenantId, productId }: AskedProduct,
  asked: Person,
  services: VerifyingServices,
): Promise<Way | undefined> {
  const { table } = services
  const { now } = asker
  const seating = await readSeating(services, tenantId, now, [productId])
  const product = seating?.products.get(productId)
  if (seating === undefined || product === undefined) return undefined
  const id = await idOf(table, tenantId, asked)
  const person = id && (await readPerson(table, tenantId, id))
  if (person === undefined) {
    const isManaged = [...seating.pools].some(
      ([name, { assigned, queued }]) => name.startsWith(`${productId}#`) && assigned + queued > 0,
    )
    return isManaged ? strangerWay() : undefined
  }
  const waits = person.user.pending.filter((one) => one.productId === productId && isQueued(one))
  const places = new Map<PoolName, number>()
  const idle = new Map<PoolName, User[]>()
  for (const one of waits) {
    const name = poolName(one)
    idle.set(name, await findIdle(table, seating, name, asker))
    let place = 0
    for await (const { userId } of readQueue(table, tenantId, one)) {
      place += 1
      if (userId === id) places.set(name, place)
      if (userId === id || place >= LOOKED_AT) break
    }
  }
  return seatWay({ ...person, product, seating, places, idle }, now)
}

/** Whom the question names: by our id, its external id or its e-mail address. */
async function idOf(
  table: Table,
  tenantId: AskedProduct['tenantId'],
  { userId, question: { email } }: Person,
): Promise<UserId | undefined> {
  const own = UserId.safeParse(userId)
  if (own.success) return own.data
  if (userId !== undefined) return findUser(table, tenantId, { externalId: userId })
  return email === undefined ? undefined : findUser(table, tenantId, { email })
}
