import * as z from 'zod'
import { contextFunction } from '../function.ts'
import { serviceHandlers } from './handlers.ts'
import { serviceRoutes } from './routes.ts'

const { serve } = contextFunction(z.object({}), async (services) => services)

export const handler = serve(serviceRoutes, serviceHandlers)
