import * as z from 'zod'
import { contextFunction } from '../function.ts'
import { planHandlers } from './plan-handlers.ts'
import { productHandlers } from './product-handlers.ts'
import { catalogRoutes } from './routes.ts'

export const handler = contextFunction(z.object({}), async (services) => services).serve(catalogRoutes, {
  ...productHandlers,
  ...planHandlers,
})
