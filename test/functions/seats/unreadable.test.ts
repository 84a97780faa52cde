import { UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { type TenantId, UserId } from '../../../shared/platform/ids.ts'
import { DAY, readClock } from '../../../shared/platform/time.ts'
import { type Key, licenseKey, tenantKey, userKey } from '../../../shared/store/keys.ts'
import { VALIDATION_TIMER } from '../../../shared/store/license-timers.ts'
import { RECLAIM_TIMER } from '../../../shared/store/reclaim.ts'
import { REMINDER_TIMER } from '../../../shared/store/reminder.ts'
import { readTimer } from '../../../shared/store/timer.ts'
import { startApi } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { createPeople, metricsOf } from '../../support/people.ts'
import { expected, inDays } from '../../support/scenario.ts'
import { createDirectory } from '../scim/rig.ts'

const api = await startApi()
afterAll(api.stop)
afterEach(() => {
  vi.useRealTimers()
})

/** Makes a row one that nobody wrote. */
const spoil = ({ pk, sk }: Key) =>
  api.table.client.send(
    new UpdateCommand({
      TableName: api.table.name,
      Key: { pk, sk },
      UpdateExpression: 'SET #schema = :none',
      ExpressionAttributeNames: { '#schema': 'schema' },
      ExpressionAttributeValues: { ':none': 99 },
    }),
  )
const spoilPerson = (tenantId: TenantId, id: string) => spoil(userKey(tenantId, UserId.parse(id)))

/** Time for nothing but the request itself. */
const noTime = () => {
  let asked = 0
  return () => (asked++ === 0 ? 60_000 : 0)
}

test('one who cannot be read keeps nobody behind it waiting: not for a seat, nor for the look at new rules', async () => {
  stopClock()
  const [people, others] = [
    await createPeople(api, { learners: 1 }),
    await createPeople(api, { learners: 1 }),
  ]
  const [holder, spoiled, next] = [
    await people.hire('author'),
    await people.hire('author'),
    await people.hire('author'),
  ]
  await others.hire('author')
  const waiting = await others.hire('author')
  for (const { issue } of [people, others]) await issue({ validFrom: inDays(1) })
  await spoilPerson(people.tenantId, spoiled.id)
  advanceClock(2 * DAY)
  await api.run('serveSeatQueues', readClock())
  expect(metricsOf(await people.read(next.id))).toEqual(['learners'])
  expect(metricsOf(await others.read(waiting.id))).toEqual(['learners'])

  await spoilPerson(people.tenantId, holder.id)
  const rules = [{ inactiveDays: 30 }]
  expected(200, await people.call('PUT', '/reclamation/rules', { body: { rules } }))
  await api.run('reclaimSeats', readClock())
  const looked = await readTimer(api.table, { kind: RECLAIM_TIMER, subject: [people.tenantId, next.id] })
  expect(looked?.dueAt).toBeDefined()
})

test('a queue that cannot be served keeps no other from it, and the run says that it failed', async () => {
  stopClock()
  const [people, others] = [
    await createPeople(api, { learners: 1 }),
    await createPeople(api, { learners: 1 }),
  ]
  for (const { hire } of [people, others]) await hire('author')
  await people.hire('author')
  const waiting = await others.hire('author')
  for (const { issue } of [people, others]) await issue({ validFrom: inDays(1) })
  await spoil(licenseKey(people.tenantId, people.product.id, people.license.id))
  advanceClock(2 * DAY)
  await expect(api.run('serveSeatQueues', readClock())).rejects.toThrow('were not served')
  expect(metricsOf(await others.read(waiting.id))).toEqual(['learners'])
})

test('a group with somebody who cannot be read reaches its others, and those of other groups', async () => {
  const { addUser, addGroup, call, get, read, tenantId } = await createDirectory(api, { learners: 9 })
  const [spoiled, ada, eve] = [await addUser('a'), await addUser('b'), await addUser('c')]
  const [first, second] = [await addGroup('one', spoiled.id, ada.id), await addGroup('two', eve.id)]
  for (const { id } of [first, second]) {
    const { meta } = await get(`/Groups/${id}`)
    const headers = { 'if-match': meta.version.replace('W/', '') }
    // No time: it is left to the job.
    expected(
      200,
      await call('PATCH', `/groups/${id}`, { body: { roles: ['author'] }, headers, remaining: noTime() }),
    )
  }
  await spoilPerson(tenantId, spoiled.id)
  await expect(api.run('spreadGroups', readClock())).rejects.toThrow('1 groups failed')
  for (const { id } of [ada, eve]) expect(metricsOf(await read(id))).toEqual(['learners'])
})

test('a license and a tenant that cannot be read keep the timers of no others from being given back', async () => {
  const [people, others] = [
    await createPeople(api, { learners: 1 }),
    await createPeople(api, { learners: 1 }),
  ]
  const [bad, good] = [
    await people.issue({ expiresAt: inDays(29) }),
    await others.issue({ expiresAt: inDays(30) }),
  ]
  await spoil(licenseKey(people.tenantId, bad.productId, bad.id))
  await spoil(tenantKey(people.tenantId))
  for (const job of ['reviewReminders', 'watchTenants'] as const) await api.run(job, readClock())
  const timer = (kind: string, ...subject: string[]) => readTimer(api.table, { kind, subject })
  expect(await timer(REMINDER_TIMER, others.tenantId, good.productId)).toBeDefined()
  expect(await timer(VALIDATION_TIMER, others.tenantId)).toBeDefined()
})

test('somebody who cannot be read is refused of a bulk change, and the others are changed', async () => {
  const people = await createPeople(api, { learners: 1 })
  const [spoiled, other] = [await people.hire(), await people.hire()]
  await spoilPerson(people.tenantId, spoiled.id)
  const body = { action: { do: 'suspend' }, users: [spoiled.id, other.id] }
  const answer = await people.call('POST', '/bulk', { body })
  expect(answer.body).toMatchObject({ state: 'finished', counts: { changed: 1, refused: 1 } })
  expect(await people.read(other.id)).toMatchObject({ status: 'suspended' })
})
