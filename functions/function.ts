import type * as z from 'zod'
import { Environment, readEnvironment } from '../shared/platform/config/environment.ts'
import type { Handlers, RouteTable } from '../shared/platform/http/contract.ts'
import { type HttpHandler, serve } from '../shared/platform/http/pipeline.ts'
import { once } from '../shared/platform/remembered.ts'
import { type Clients, createClients, createPorts, createServices, type Services } from './services.ts'

/** A Lambda function in the making: its services, and the way to put routes and handlers on them. */
type ContextFunction<S> = {
  readonly services: () => Promise<S>
  serve<T extends RouteTable>(table: T, handlers: Handlers<T, S>): HttpHandler
}

/**
 * The frame of a context's function. `extend` adds to the common services what only this context needs. The
 * environment is read at the start, everything else at the first request: a failure of KMS at a cold start costs one
 * request, not the function.
 */
export function contextFunction<E extends z.ZodObject, S extends Services>(
  variables: E,
  extend: (services: Services, clients: Clients, env: z.output<E>) => Promise<S>,
): ContextFunction<S> {
  const env = readEnvironment(Environment)
  const own = readEnvironment(variables)
  const clients = createClients()
  const base = once(() => createServices(env, clients))
  const services = once(async () => extend(await base(), clients, own))
  const ports = once(async () => createPorts(env, await base()))
  return { services, serve: (table, handlers) => serve(table, handlers, services, ports) }
}
