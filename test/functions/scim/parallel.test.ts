import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import type { JobName } from '../../../functions/jobs.ts'
import { operations } from '../../../functions/routes.ts'
import { openApi } from '../../../shared/platform/http/openapi.ts'
import { Instant, plusMilliseconds } from '../../../shared/platform/time.ts'
import { readGroups } from '../../../shared/store/group.ts'
import { type Answer, outcome, startApi } from '../../support/api.ts'
import { times } from '../../support/parallel.ts'
import { seatRows } from '../../support/seat-rows.ts'
import { walks } from '../../support/walks.ts'
import { type Asked, asked, rounds } from './parallel-model.ts'
import { broken } from './parallel-rules.ts'
import { createDirectory } from './rig.ts'

const api = await startApi()
afterAll(api.stop)

const LIMITS = { learners: 3, observers: 2, both: 1 }

let runs = 0
/** A job, as the scheduler calls it: each time for a later time. */
const run = (job: JobName) => {
  runs += 1
  return api.run(job, plusMilliseconds(Instant.parse('2030-01-01T00:00:00Z'), runs * 1_000))
}

test('whatever directories, administrators and imports say at once: one person for each name, in the groups that say so, with what it needs or in line for it', async () => {
  await fc.assert(
    fc.asyncProperty(rounds, async (all) => {
      const world = await createDirectory(api, LIMITS)
      const upper = await world.organize('Upper')
      const organizations = [upper.id, (await world.organize('Lower', upper.id)).id]
      const ada = await world.addUser('ada@x.example')
      const bob = await world.addUser('bob@x.example', { externalId: 'Y' })
      await world.hire('author')
      await world.hire('author', 'observer')
      await world.addGroup('author', ada.id, bob.id, (await world.hire('observer')).id)
      await world.addGroup('club', bob.id)
      const byHand = new Set<string>()

      for (const { commands, jobs } of all) {
        const { users } = await seatRows(api.table, world.tenantId)
        const known = {
          users: users.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
          groups: await readGroups(api.table, world.tenantId),
          organizations,
          product: world.product.code,
        }
        const requests = commands.map(({ command, isTwice }, place) => {
          const request = asked(command, known)
          if (/^(editUser|orderBulk)$/.test(request.route.operationId))
            for (const { id } of users) if (JSON.stringify(request).includes(id)) byHand.add(id)
          return { request, key: isTwice && !request.route.safe ? `${runs}-${place}` : undefined }
        })
        const [answers] = await Promise.all([
          Promise.all(requests.map(({ request, key }) => times(key ? 2 : 1, () => send(request, key)))),
          ...jobs.map(run),
        ])
        const outcomes = answers.map((some) => some.map(outcome))
        const label = JSON.stringify({ commands, jobs, outcomes })
        expect(await broken(world, LIMITS, byHand, false), label).toEqual([])
        for (const [place, { request, key }] of requests.entries()) {
          for (const one of answers[place] ?? []) expect(undeclared(request, one), label).toBeUndefined()
          const done = answers[place]?.filter(({ status }) => status < 300) ?? []
          if (key === undefined || done.length === 0) continue
          // A refusal is not kept: it may have been said before what was in the way was gone.
          const again = [...done, await send(request, key)].map(kept)
          expect(new Set(again).size, `${again.join('\n')} in ${label}`).toBe(1)
        }
        for (const job of ['spreadGroups', 'serveSeatQueues'] as const) await run(job)
        expect(await broken(world, LIMITS, byHand, true), label).toEqual([])
      }

      function send({ route, path, headers: own, body }: Asked, key?: string): Promise<Answer> {
        const headers = { ...own, ...(key && { 'idempotency-key': key + world.tenantId }) }
        const by = route.dialect === 'scim' ? world.scim : world.call
        return by(route.method, path, { headers, ...(body !== undefined && { body }) })
      }
    }),
    walks(1, 7),
  )
})

/** What is kept of an answer; how far the job came that goes on is not. */
const kept = ({ status, body }: Answer) => JSON.stringify([status, { ...Object(body), spreading: undefined }])

const described = openApi(operations, '')

/** A fault, or a refusal that the operation does not declare. */
function undeclared({ route: { method, path } }: Asked, answer: Answer): string | undefined {
  const { responses } = Object(described.paths[path])[method.toLowerCase()]
  const [, code = ''] = outcome(answer).split(' ')
  const isDeclared = String(responses[answer.status]?.$ref).split(/[-/]/).includes(code)
  return answer.status < 300 || (answer.status < 500 && isDeclared) ? undefined : outcome(answer)
}
