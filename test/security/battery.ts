import { ScanCommand, type ScanCommandOutput } from '@aws-sdk/lib-dynamodb'
import type { Operation } from '../../functions/routes.ts'
import { isMutation } from '../../shared/platform/http/parse.ts'
import { Problem, ScimError } from '../../shared/platform/http/problem.ts'
import type { Table } from '../../shared/store/transact.ts'
import { type Answer, outcome } from '../support/api.ts'
import { declaredFor, headersFor } from './declared.ts'

/** What the content is, who may keep it, and what a page may do: the same for every API. */
const OF_HTTP = new Set([
  'content-type',
  'cache-control',
  'x-content-type-options',
  'content-security-policy',
  'referrer-policy',
])

/** All that every answer has to be, whatever it says; what is wrong with this one. */
export function faultsOf(operation: Operation, answer: Answer): string[] {
  const { status, headers, body } = answer
  const faults: string[] = []
  if (!declaredFor(operation.operationId).has(outcome(answer))) faults.push('is not declared')
  const declared = headersFor(operation.operationId, status)
  const undeclared = Object.keys(headers).filter((name) => !declared.has(name) && !OF_HTTP.has(name))
  if (undeclared.length > 0) faults.push(`has headers that are not declared: ${undeclared}`)
  if (headers['x-request-id'] === undefined) faults.push('has no x-request-id')
  if (headers['x-content-type-options'] !== 'nosniff') faults.push('lets its type be guessed')
  const { cacheSeconds } = operation
  const cacheable = status < 400 && cacheSeconds !== undefined
  const cache = cacheable ? `public, max-age=${cacheSeconds}` : 'no-store'
  if (headers['cache-control'] !== cache) faults.push(`may be cached: ${headers['cache-control']}`)
  if (status >= 400) {
    const isScim = operation.dialect === 'scim'
    const type = isScim ? 'application/scim+json' : 'application/problem+json'
    if (headers['content-type'] !== type) faults.push('is no problem document')
    const problem = Problem.safeParse(body)
    const error = ScimError.safeParse(body)
    if (isScim) {
      if (!error.success) faults.push(`is not the ScimError schema: ${error.error.message}`)
      else if (error.data.status !== String(status)) faults.push('says another status')
    } else if (!problem.success) faults.push(`is not the Problem schema: ${problem.error.message}`)
    else if (problem.data.requestId !== headers['x-request-id'] || problem.data.status !== status)
      faults.push('says another request id or status')
    if (status >= 500) faults.push('is a fault')
  } else if (
    'body' in operation.success &&
    !operation.success.body.safeParse(replyOf(operation, answer)).success
  )
    faults.push('is not the declared success')
  return faults.map((fault) => `${outcome(answer)} ${fault}`)
}

/** What the handler replied: of an answer that is no JSON, its type and content. */
const replyOf = ({ success }: Operation, { headers, body }: Answer) =>
  'media' in success ? { type: headers['content-type'], content: String(body) } : body

export const changesThings = (operation: Operation) => isMutation(operation)

type Row = Record<string, unknown>

/**
 * The whole table as text, without what the service notes for itself whatever becomes of a request: counts for limits,
 * and the last use of a token.
 */
export async function rowsOf({ client, name }: Table): Promise<string[]> {
  const rows: Row[] = []
  let from: Row | undefined
  do {
    const page: ScanCommandOutput = await client.send(
      new ScanCommand({ TableName: name, ConsistentRead: true, ...(from && { ExclusiveStartKey: from }) }),
    )
    rows.push(...(page.Items ?? []))
    from = page.LastEvaluatedKey
  } while (from !== undefined)
  return rows
    .filter((row) => row['entity'] !== 'count')
    .map(({ lastUsedAt: _, ...row }) => JSON.stringify(Object.entries(row).toSorted()))
    .toSorted()
}
