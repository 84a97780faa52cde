import * as z from 'zod'
import { contextFunction } from '../function.ts'
import { accessHandlers } from './handlers.ts'
import { accessRoutes } from './routes.ts'

export const handler = contextFunction(z.object({}), async (services) => services).serve(
  accessRoutes,
  accessHandlers,
)
