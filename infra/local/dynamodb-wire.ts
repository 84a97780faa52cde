import * as z from 'zod'

const Failure = z.object({
  __type: z.string(),
  message: z.string().optional(),
  Message: z.string().optional(),
})

/** DynamoDB's answer to a request it refused; `name` is the error's own, such as `ResourceNotFoundException`. */
export class DynamoDbError extends Error {
  constructor(name: string, message: string) {
    super(message)
    this.name = name
  }
}

/**
 * One request to DynamoDB Local. The local stack speaks its JSON protocol directly: what CloudFormation calls the
 * properties of a table is what the protocol calls them too, and no SDK client has to load before the stack is up.
 */
export function callDynamoDb(endpoint: string, operation: string, request: object): Promise<unknown> {
  return call(endpoint, `DynamoDB_20120810.${operation}`, request)
}

/** One request to the streams of its tables, an API of its own. */
export function callDynamoDbStreams(endpoint: string, operation: string, request: object): Promise<unknown> {
  return call(endpoint, `DynamoDBStreams_20120810.${operation}`, request)
}

async function call(endpoint: string, target: string, request: object): Promise<unknown> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': target,
      // DynamoDB Local wants the form of a signature and does not check it.
      authorization:
        'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: JSON.stringify(request),
  })
  const body: unknown = await response.json()
  if (response.ok) return body
  const { __type, message, Message } = Failure.parse(body)
  throw new DynamoDbError(__type.slice(__type.indexOf('#') + 1), message ?? Message ?? 'no message')
}
