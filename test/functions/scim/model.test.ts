import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { eventLog } from '../../../shared/store/keys.ts'
import { readRange } from '../../../shared/store/read.ts'
import { outcome, startApi } from '../../support/api.ts'
import { disagreements, seatRows } from '../../support/seat-rows.ts'
import { walks } from '../../support/walks.ts'
import { type Command, commands, Model } from './model.ts'
import { createDirectory, GROUP, USER } from './rig.ts'

const api = await startApi()
afterAll(api.stop)

test('whatever a directory, administrators and imports say: people and groups are as in a plain directory, and what is refused changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(commands, async (all) => {
      const directory = await createDirectory(api, { learners: 2, observers: 1, both: 1 })
      const { scim, call, tenantId } = directory
      let model = new Model()
      for (const command of all) {
        const before = await countEvents()
        const next = model.copy()
        const expected = next.apply(command)
        const answer = await send(command)
        const label = `${JSON.stringify(command)} after ${model.trail.join(' ')}`
        expect(outcome(answer), label).toBe(expected)
        if (answer.status < 300) {
          next.adopt(command, answer.body)
          model = next
        } else expect(await countEvents(), label).toBe(before)
        await check(label)
      }
      expect(disagreements(await seatRows(api.table, tenantId))).toEqual([])

      async function countEvents(): Promise<number> {
        return (await readRange(api.table, { pk: eventLog(tenantId) })).length
      }

      async function check(label: string): Promise<void> {
        const users = await directory.list('/Users')
        const shown = users.Resources.map(({ id, userName, externalId }) => [id, userName, externalId])
        expect(shown.toSorted(), label).toEqual(model.listed().toSorted())
        expect(users.totalResults, label).toBe(shown.length)
        const groups = await directory.list('/Groups')
        const members = groups.Resources.map(({ id, displayName, members: all = [] }) => [
          id,
          displayName,
          all.map(({ value }) => value).toSorted(),
        ])
        expect(members.toSorted(), label).toEqual(model.grouped().toSorted())
        const people = await Promise.all([...model.people.keys()].map((id) => directory.read(id)))
        const told = people.map(({ id, status, email, roles }) => [id, status, email, roles.toSorted()])
        expect(told, label).toEqual(model.told())
      }

      async function send(command: Command) {
        const { person, group } = model.named(command)
        const user = (body: object) => ({ body: { schemas: [USER], ...body } })
        const inGroup = (displayName: string) => ({
          body: {
            schemas: [GROUP],
            displayName,
            members: model.membersOf(command).map((value) => ({ value })),
          },
        })
        switch (command.do) {
          case 'create':
            return scim('POST', '/Users', user(model.bodyOf(command)))
          case 'put':
            return scim('PUT', `/Users/${person}`, user(model.bodyOf(command)))
          case 'activate':
            return directory.patch(`/Users/${person}`, { op: 'Replace', path: 'active', value: 'True' })
          case 'deactivate':
            return directory.patch(`/Users/${person}`, { op: 'replace', value: { active: false } })
          case 'delete':
            return scim('DELETE', `/Users/${person}`)
          case 'hire':
            return call('POST', '/users', {
              body: { name: 'Hired', ...model.addressesOf(command), roles: command.roles },
            })
          case 'roles': {
            const { revision } = await directory.read(person).catch(() => ({ revision: 1 }))
            const headers = { 'if-match': `"${revision}"` }
            return call('PATCH', `/users/${person}`, { body: { roles: command.roles }, headers })
          }
          case 'archive':
          case 'restore':
            return call('POST', `/users/${person}/${command.do}`, { body: {} })
          case 'group':
            return scim('POST', '/Groups', inGroup(command.name))
          case 'regroup':
            return scim('PUT', `/Groups/${group}`, inGroup(command.name))
          case 'join':
          case 'leave': {
            const [op, value] = [command.do === 'join' ? 'Add' : 'remove', inGroup('').body.members]
            return directory.patch(`/Groups/${group}`, { op, path: 'members', value })
          }
          case 'ungroup':
            return scim('DELETE', `/Groups/${group}`)
        }
      }
    }),
    walks(1, 11),
  )
})
