import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { jobs as jobTable } from '../../../functions/jobs.ts'
import { operations } from '../../../functions/routes.ts'
import { openApiText } from '../../../functions/service/generate-openapi.ts'
import { Instant, MINUTE, plusMilliseconds, readClock } from '../../../shared/platform/time.ts'
import { rememberSuccess } from '../../../shared/store/run.ts'
import { outcome, startApi } from '../../support/api.ts'
import { costOf } from '../../support/cost.ts'

const api = await startApi()
afterAll(api.stop)

describe('health', () => {
  const health = (query?: { strict: string }) => api.call('GET', '/v1/health', { ...(query && { query }) })
  const jobs = Object.keys(jobTable)

  test('says ok where the table answers, to anybody, with when each job did its work, and is not cached', async () => {
    const answer = await health()
    expect(answer).toMatchObject({
      status: 200,
      body: { status: 'ok', stage: 'test', jobs: jobs.map((job) => ({ job, status: 'waiting' })) },
    })
    expect(Instant.safeParse(Object(answer.body).now).success).toBe(true)
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(await costOf(api, health)).toEqual({ Query: 1 })
  })

  test('says which job is late, and fails for it only where it is asked to', async () => {
    const now = readClock()
    await rememberSuccess(api.table, 'noteTransitions', plusMilliseconds(now, -17.5 * MINUTE))
    await rememberSuccess(api.table, 'validateLicenses', plusMilliseconds(now, -24.5 * MINUTE))
    const { status, body } = await health()
    expect(status).toBe(200)
    expect(body).toMatchObject({ status: 'late' })
    const late = Object(body).jobs.filter((one: { status: string }) => one.status !== 'waiting')
    expect(late).toMatchObject([
      { job: 'validateLicenses', status: 'ok' },
      { job: 'noteTransitions', status: 'late', ageSeconds: expect.toSatisfy((age) => age >= 1_050) },
    ])
    expect(outcome(await health({ strict: 'true' }))).toBe('503 JOBS_LATE')
    await rememberSuccess(api.table, 'noteTransitions', now)
    expect(outcome(await health({ strict: 'true' }))).toBe('200')
  })
})

describe('the OpenAPI document', () => {
  const committed = readFileSync(new URL('../../../functions/service/openapi.json', import.meta.url), 'utf8')
  const Document = z.object({
    openapi: z.string(),
    paths: z.record(z.string(), z.record(z.string(), z.object({ operationId: z.string() }))),
  })

  test('is generated from the route table and committed: run `npm run generate` where this fails', () => {
    expect(committed).toBe(openApiText)
  })

  test('is served as committed, to anybody, and may be kept for five minutes', async () => {
    const answer = await api.call('GET', '/v1/openapi.json')
    expect(outcome(answer)).toBe('200')
    expect(answer.body).toEqual(JSON.parse(committed))
    expect(answer.headers['cache-control']).toBe('public, max-age=300')
  })

  test('has every route of the table and no other', () => {
    const { openapi, paths } = Document.parse(JSON.parse(committed))
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, { operationId }]) => `${operationId}: ${method.toUpperCase()} ${path}`,
      ),
    )
    const routes = operations.map(
      ({ operationId, method, path }) => `${operationId}: ${method} ${path.replace('+}', '}')}`,
    )
    expect(openapi).toMatch(/^3\.1\./)
    expect(documented.toSorted()).toEqual(routes.toSorted())
  })
})

test('what is no route is not found', async () => {
  expect((await api.call('GET', '/v1/nothing')).status).toBe(404)
  expect((await api.call('DELETE', '/v1/health')).status).toBe(404)
})
