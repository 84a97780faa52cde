import type * as z from 'zod'
import { Environment, readEnvironment } from '../shared/platform/config/environment.ts'
import type { Handlers, RouteTable } from '../shared/platform/http/contract.ts'
import { type HttpHandler, serve } from '../shared/platform/http/pipeline.ts'
import { once } from '../shared/platform/remembered.ts'
import { type Clients, createClients, createPorts, createServices, type Services } from './services.ts'

/** A function: its HTTP entry, and its services for entries of another kind. */
export type ContextFunction<S> = { readonly http: HttpHandler; readonly services: () => Promise<S> }

/**
 * Makes the Lambda function of a context. `extend` adds what only this context needs; the environment is read at the
 * start, everything else at the first request, so that a failure of KMS at a cold start is one failed request.
 */
export function contextFunction<T extends RouteTable, E extends z.ZodObject, S extends Services>(
  table: T,
  handlers: Handlers<T, S>,
  variables: E,
  extend: (services: Services, clients: Clients, env: z.output<E>) => Promise<S>,
): ContextFunction<S> {
  const env = readEnvironment(Environment)
  const own = readEnvironment(variables)
  const clients = createClients()
  const base = once(() => createServices(env, clients))
  const services = once(async () => extend(await base(), clients, own))
  const ports = once(async () => createPorts(env, await base()))
  return { http: serve(table, handlers, services, ports), services }
}
