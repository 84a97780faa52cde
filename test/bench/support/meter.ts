import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import * as z from 'zod'
import { callDynamoDb } from '../../../infra/local/dynamodb-wire.ts'
import { LOOPBACK, listen } from '../../../infra/local/port.ts'
import { ofIndexes, ofTable, WireItem } from './write-units.ts'

/** What was asked of DynamoDB, in the units it bills. */
export type Consumed = { readonly requests: number; readonly readUnits: number; readonly writeUnits: number }

type Meter = {
  readonly endpoint: string
  /** Since the start, or the last call of this. */
  take(): Consumed
  close(): Promise<void>
}

const READS = new Set(['GetItem', 'BatchGetItem', 'TransactGetItems', 'Query', 'Scan'])
const Target = z.looseObject({ TableName: z.string(), Key: WireItem.optional(), Item: WireItem.optional() })
const Request = z.looseObject({
  ConsistentRead: z.boolean().optional(),
  TransactItems: z.array(z.record(z.string(), Target)).optional(),
  Item: WireItem.optional(),
})
type Asked = z.infer<typeof Request>
const Capacity = z.object({ CapacityUnits: z.number() })
const Response = z.object({
  ConsumedCapacity: z
    .union([Capacity.transform((one) => [one]), z.array(Capacity)])
    .optional()
    .transform((all = []) => all.reduce((total, { CapacityUnits }) => total + CapacityUnits, 0)),
})

/**
 * Stands between a function and DynamoDB Local and asks it for the capacity each request consumed. It is on the wire
 * and not a middleware of the SDK, because the bundle is measured as it is deployed, and because what crosses the wire
 * is what AWS bills: retries included.
 *
 * @param isCounted what is not, is passed on all the same
 */
export async function startMeter(
  dynamoDb: string,
  isCounted: (operation: string, asked: unknown) => boolean = () => true,
): Promise<Meter> {
  let consumed: Consumed = nothing
  const server = createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? ''
    const asked = Request.parse(JSON.parse(await textOf(request)))
    const isMetered = isCounted(operation, asked)
    const before = isMetered ? await written(dynamoDb, asked) : []
    const answer = await fetch(dynamoDb, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': String(request.headers['x-amz-target']),
        authorization: String(request.headers.authorization),
      },
      body: JSON.stringify({ ...asked, ReturnConsumedCapacity: 'TOTAL' }),
    })
    const text = await answer.text()
    if (isMetered) {
      const after = await written(dynamoDb, asked)
      const cost =
        asked.TransactItems === undefined
          ? costOf(operation, asked, answer.ok, text)
          : costOfTransaction(before, answer.ok ? after : before)
      consumed = add(consumed, operation, cost)
    }
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' }).end(text)
  })
  const port = await listen(server, 0)
  return {
    endpoint: `http://${LOOPBACK}:${port}`,
    take() {
      const taken = consumed
      consumed = nothing
      return taken
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

const nothing: Consumed = { requests: 0, readUnits: 0, writeUnits: 0 }

function costOf(operation: string, asked: Asked, ok: boolean, text: string): number {
  if (!ok) return costOfFailed(operation, asked, text)
  const units = Response.parse(JSON.parse(text)).ConsumedCapacity
  // A query that finds nothing is billed like one that finds a little; DynamoDB Local says 0.
  return READS.has(operation) ? Math.max(units, asked.ConsistentRead ? 1 : 0.5) : units
}

/** DynamoDB bills what failed on a condition like what succeeds, at least; DynamoDB Local does not tell how much. */
function costOfFailed(operation: string, { Item }: Asked, text: string): number {
  if (!text.includes('ConditionalCheckFailed'))
    throw new Error(`the meter cannot tell what a failed ${operation} costs: ${text}`)
  return ofTable(undefined, Item)
}

/**
 * Of each item twice what a write of it takes, and once what its indexes take. DynamoDB Local tells something else: four
 * times the sum of the sizes that differ.
 */
const costOfTransaction = (before: readonly Written[], after: readonly Written[]): number =>
  before.reduce((sum, { item, put }, index) => {
    const now = after[index]?.item
    return sum + 2 * ofTable(put ?? item, now) + ofIndexes(item, now)
  }, 0)

/** An item that a transaction is about as it lies in the table, and what is to be put in its place. */
type Written = { readonly item: WireItem | undefined; readonly put: WireItem | undefined }

const Found = z.object({ Item: WireItem.optional() })

const written = (dynamoDb: string, { TransactItems = [] }: Asked): Promise<Written[]> =>
  Promise.all(
    TransactItems.flatMap((one) => Object.values(one)).map(async ({ TableName, Key, Item }) => {
      const key = Key ?? { pk: Item?.['pk'], sk: Item?.['sk'] }
      const request = { TableName, Key: key, ConsistentRead: true }
      return { item: Found.parse(await callDynamoDb(dynamoDb, 'GetItem', request)).Item, put: Item }
    }),
  )

function add({ requests, readUnits, writeUnits }: Consumed, operation: string, units: number): Consumed {
  const isRead = READS.has(operation)
  return {
    requests: requests + 1,
    readUnits: readUnits + (isRead ? units : 0),
    writeUnits: writeUnits + (isRead ? 0 : units),
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
