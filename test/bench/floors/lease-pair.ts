import { handler as leases } from '../../../functions/leases/index.ts'

/** A check-out and its check-in, by the function as deployed. The event is that of a check-out. */
export async function handler(event: object, context: { getRemainingTimeInMillis(): number }) {
  const granted: unknown = await leases(event, context)
  const { statusCode, body } = Object(granted)
  if (statusCode !== 201) return granted
  const { leaseId } = JSON.parse(body)
  const path = '/v1/leases/check-in'
  const { requestContext } = Object(event)
  return leases(
    {
      ...event,
      routeKey: `POST ${path}`,
      rawPath: path,
      requestContext: { ...requestContext, routeKey: `POST ${path}`, http: { ...requestContext.http, path } },
      body: JSON.stringify({ leaseId }),
    },
    context,
  )
}
