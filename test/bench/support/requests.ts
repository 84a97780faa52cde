import { randomBytes, randomUUID } from 'node:crypto'

type RequestOptions = {
  /** None makes it a GET. */
  readonly body?: unknown
  readonly token?: string
  /** The key of a license, as its application sends it. */
  readonly license?: string | undefined
  /** The last byte of the caller's address, of 0 to 255. */
  readonly host?: number
  /** What stands in the braces of the path. */
  readonly params?: Readonly<Record<string, string>>
}

/** A POST as API Gateway hands it to a function (payload format 2.0). */
export const post = (path: string, options: RequestOptions): string => request('POST', path, options)

/** A request as API Gateway hands it to a function (payload format 2.0). */
export function request(
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  { body, token, license, host = 1, params = {} }: RequestOptions,
): string {
  const rawPath = path.replace(/\{(\w+)\}/g, (_, name) => params[name] ?? '')
  return JSON.stringify({
    version: '2.0',
    routeKey: `${method} ${path}`,
    rawPath,
    pathParameters: params,
    rawQueryString: '',
    headers: {
      accept: 'application/json',
      'accept-encoding': 'gzip, deflate',
      'content-type': 'application/json',
      host: 'licensing.example.test',
      'user-agent': 'an-application/1.4',
      'x-forwarded-for': `203.0.113.${host}`,
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https',
      ...(license && { authorization: `License ${license}` }),
      ...(token && { authorization: `Bearer ${token}`, 'idempotency-key': randomUUID() }),
    },
    requestContext: {
      accountId: '123456789012',
      apiId: 'bench',
      domainName: 'licensing.example.test',
      domainPrefix: 'licensing',
      http: {
        method,
        path: rawPath,
        protocol: 'HTTP/1.1',
        sourceIp: `203.0.113.${host}`,
        userAgent: 'an-application/1.4',
      },
      // As long as API Gateway's.
      requestId: `${randomBytes(11).toString('base64url')}=`,
      routeKey: `${method} ${path}`,
      stage: '$default',
      time: '01/Jan/2026:10:00:00 +0000',
      timeEpoch: 1767261600000,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    isBase64Encoded: false,
  })
}

/** The same request from many addresses: one alone would run into its rate limit. */
export function fromMany(path: string, body: unknown): string[] {
  return Array.from({ length: 256 }, (_, host) => post(path, { body, host }))
}
