import * as z from 'zod'
import { contextFunction } from '../function.ts'
import { releasesHandlers } from './handlers.ts'
import { releasesRoutes } from './routes.ts'

const { serve } = contextFunction(z.object({}), async (services) => services)

export const handler = serve(releasesRoutes, releasesHandlers)
