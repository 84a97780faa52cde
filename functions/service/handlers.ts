import type { Handlers } from '../../shared/platform/http/contract.ts'
import { KIND } from '../../shared/store/keys.ts'
import { readItem } from '../../shared/store/read.ts'
import type { Services } from '../services.ts'
import openApi from './openapi.json' with { type: 'json' }
import type { serviceRoutes } from './routes.ts'

export const serviceHandlers: Handlers<typeof serviceRoutes, Services> = {
  async getHealth({ now }, { table, stage }) {
    await readItem(table, { pk: KIND.products, sk: 'health' })
    return { status: 'ok', stage, now }
  },

  async getOpenApi() {
    return openApi
  },
}
