/**
 * A request to a service of the emulator. It is not signed: the emulator tells its services apart by path, and by the
 * name of the service in the header.
 *
 * @throws Error with what was answered, unless that is a success
 */
export async function askAws(
  endpoint: string,
  service: string,
  path: string,
  request: { readonly target?: string; readonly body?: string } = {},
): Promise<Response> {
  const { target, body } = request
  const response = await fetch(`${endpoint}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=rehearsal/20260101/us-east-1/${service}/aws4_request`,
      ...(target && { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' }),
    },
    ...(body !== undefined && { body }),
  })
  if (!response.ok)
    throw new Error(`${service} ${path} answered ${response.status}: ${await response.text()}`)
  return response
}
