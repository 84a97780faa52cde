import { type ChannelListener, subscribe } from 'node:diagnostics_channel'
import { ClientRequest } from 'node:http'
import * as z from 'zod'

const TARGET = /^DynamoDB_20120810\.(\w+)$/
const Started = z.object({ request: z.instanceof(ClientRequest) })

/** Counts what this process asks of DynamoDB from now on, by operation, whichever client asks. */
export function meterDynamo(): () => Readonly<Record<string, number>> {
  const calls = new Map<string, number>()
  const count: ChannelListener = (message) => {
    const { request } = Started.parse(message)
    const [, operation] = TARGET.exec(String(request.getHeader('x-amz-target'))) ?? []
    if (operation !== undefined) calls.set(operation, (calls.get(operation) ?? 0) + 1)
  }
  // Node.js tells every HTTP request of its own client here; the SDK uses that client.
  subscribe('http.client.request.start', count)
  return () => Object.fromEntries(calls)
}
