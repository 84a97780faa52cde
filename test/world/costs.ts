import { inject } from 'vitest'
import * as z from 'zod'
import { type ContextName, type Operation, operations } from '../../functions/routes.ts'
import { isMutation } from '../../shared/platform/http/parse.ts'
import { type Consumed, startMeter } from '../bench/support/meter.ts'
import { prices } from '../bench/support/prices.ts'
import { type Answer, type Api, startApi } from '../support/api.ts'

/** What an operation asks of DynamoDB and KMS. */
type Cost = Consumed & { readonly signatures: number; readonly macs: number }

/** An API, and what calls of it cost. */
export async function startMeteredApi() {
  // Only what is to be told is weighed: of a transaction all items are read for it, before and after.
  let isMetering = false
  const isCounted = (operation: string, asked: unknown) => isMetering && isOfTheRequest(operation, asked)
  const meter = await startMeter(inject('dynamodbEndpoint'), isCounted)
  const api = await startApi({ dynamoDb: meter.endpoint })
  await startFunctions(api)
  const costs = new Map<string, Cost>()

  async function metered(call: () => Promise<Answer>): Promise<[Answer, Cost]> {
    const { Sign = 0, GenerateMac = 0 } = api.kmsCalls()
    isMetering = true
    const answer = await call()
    isMetering = false
    const after = api.kmsCalls()
    const [signatures, macs] = [(after['Sign'] ?? 0) - Sign, (after['GenerateMac'] ?? 0) - GenerateMac]
    return [answer, { ...meter.take(), signatures, macs }]
  }

  return {
    api,
    /** Makes the call of an operation and notes what it costs; what only reads is asked twice, as a warm function is. */
    async call(operation: Operation, call: () => Promise<Answer>): Promise<Answer> {
      const [answer, first] = await metered(call)
      const isRead = operation.method === 'GET' || operation.safe === true
      costs.set(operation.operationId, isRead ? (await metered(call))[1] : first)
      return answer
    },
    /** What was called to change something, and wrote nothing. */
    idle: () =>
      operations
        .filter((operation) => isMutation(operation) && costs.get(operation.operationId)?.writeUnits === 0)
        .map(({ operationId }) => operationId),
    isComplete: () => costs.size === operations.length,
    /** As a table, aligned to be read, one line for each operation. */
    table: () => render(costs),
    async stop() {
      await api.stop()
      await meter.close()
    },
  }
}

const Keyed = z.object({ Key: z.object({ pk: z.object({ S: z.string() }) }) })

/** Not what falls on one request of many: a block of a rate limit (≤ 0.02 W each), a token's last use (once an hour). */
function isOfTheRequest(operation: string, asked: unknown): boolean {
  const { data } = Keyed.safeParse(asked)
  return operation !== 'UpdateItem' || !/^(COUNT|TOKEN)#/.test(data?.Key.pk.S ?? '')
}

/** A function's own start asks KMS once for its keys and secrets, whatever the request. */
async function startFunctions(api: Api): Promise<void> {
  const first = new Map<ContextName, Operation>(
    operations.toReversed().map((operation) => [operation.context, operation]),
  )
  for (const { method, path } of first.values()) await api.call(method, path)
}

const { perMillion } = prices

const dollars = ({ readUnits, writeUnits, signatures, macs }: Cost) =>
  perMillion.httpApiRequests +
  perMillion.lambdaRequests +
  readUnits * perMillion.readUnits +
  writeUnits * perMillion.writeUnits +
  signatures * perMillion.kmsEccSignatures +
  macs * perMillion.kmsMacs

/** The widths of figures to come are in these, so that one that grows is the only line to change. */
const HEADINGS = ['operation', 'requests', '     R', '    W', 'KMS', '$ per million']

function render(costs: ReadonlyMap<string, Cost>): string {
  const lines = operations.map(({ operationId, context }) => {
    const cost = costs.get(operationId)
    if (cost === undefined) throw new Error(`${operationId} was not metered`)
    const { requests, readUnits, writeUnits, signatures, macs } = cost
    const figures = [requests, readUnits, writeUnits, signatures + macs].map((one) => String(one || '–'))
    return [`${context} ${operationId}`, ...figures, dollars(cost).toFixed(2)]
  })
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...lines.map((line) => line[column]?.length ?? 0)),
  )
  const align = (cells: readonly string[]) => {
    const padded = cells.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
    )
    return `| ${padded.join(' | ')} |`
  }
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return `${[HEAD, align(HEADINGS), rule, ...lines.map(align)].join('\n')}\n`
}

const HEAD = `# What each operation costs

Made by \`npm test -- test/world/calls.test.ts -u\`, and compared by that test: one successful call of each operation, metered
between the function and DynamoDB. R and W are read and write units, failed conditions included; KMS counts signatures and
MACs. The dollars are those of ${prices.region}, ${prices.asOf} (\`test/bench/prices.json\`): API Gateway's and Lambda's request,
units, KMS. Not in them: Lambda's time, a function's start, rate limits (≤ 0.02 W a request), a token's last use (once an
hour), what the stream's consumer does with an event, and the kept reply of a request with an \`Idempotency-Key\` (W 2 per KB).
The tenant is small: what grows with what a tenant has is told in \`shared/store/README.md\`.
`
