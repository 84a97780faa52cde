import { refuse } from '../../shared/domain/refusal.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import { readLastSuccesses } from '../../shared/store/run.ts'
import { jobHealth } from '../job-health.ts'
import type { Services } from '../services.ts'
import openApi from './openapi.json' with { type: 'json' }
import type { serviceRoutes } from './routes.ts'

export const serviceHandlers: Handlers<typeof serviceRoutes, Services> = {
  async getHealth({ query, now }, { table, stage }) {
    const jobs = jobHealth(await readLastSuccesses(table), now)
    const late = jobs.filter(({ status }) => status === 'late').map(({ job }) => job)
    if (late.length > 0 && query.strict)
      return refuse('JOBS_LATE', `The API answers, but these jobs are late: ${late.join(', ')}.`)
    return { status: late.length > 0 ? 'late' : 'ok', stage, now, jobs }
  },

  async getOpenApi() {
    return openApi
  },
}
