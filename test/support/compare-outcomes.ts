// `node test/support/compare-outcomes.ts <file>`: holds what the tests saw (OUTCOMES=<file> npm test) against what the OpenAPI
// document declares. Fails where no test saw a code of the table of refusals, or what an operation declares of its own, and
// where a test saw an answer that is not declared.
import { readFileSync } from 'node:fs'
import { type Operation, operations } from '../../functions/routes.ts'
import { REFUSALS, type RefusalCode } from '../../shared/domain/refusal.ts'
import { declaredFor } from '../security/declared.ts'

/** Codes that no test can bring about, each with its reason. */
const UNREACHABLE: Readonly<Partial<Record<RefusalCode, string>>> = {}

const [, , file = ''] = process.argv
const seen = new Set(readFileSync(file, 'utf8').trim().split('\n'))
const seenCodes = new Set([...seen].map((line) => line.split(' ')[2]))

/** What an operation declares of its own, besides what every operation may answer. */
function ownOf({ operationId, errors, success }: Operation): string[] {
  const own = [String(success.status), ...errors.map((code) => `${REFUSALS[code].status} ${code}`)]
  return own.map((outcome) => `${operationId} ${outcome}`)
}

const declared = operations.flatMap(({ operationId }) =>
  [...declaredFor(operationId)].map((outcome) => `${operationId} ${outcome}`),
)
const own = operations.flatMap(ownOf)
const missing = own.filter((pair) => !seen.has(pair))
const all = declared.filter((pair) => seen.has(pair)).length
console.log(`declared outcomes of operations: ${all} of ${declared.length} seen by tests`)
console.log(`those of their own: ${own.length - missing.length} of ${own.length}`)
for (const [operationId, pairs] of Map.groupBy(missing, (pair) => pair.split(' ')[0] ?? ''))
  console.error(`  ${operationId}: ${pairs.map((pair) => pair.slice(operationId.length + 1)).join(', ')}`)
if (missing.length > 0) {
  console.error(
    'Seen by no test: take the code out of the errors of the operation if it cannot be, or add a row to test/world/refusals.ts',
  )
  process.exitCode = 1
}

const ids = new Set(operations.map(({ operationId }) => operationId))
const known = new Set(declared)
const undeclared = [...seen].filter((pair) => ids.has(pair.split(' ')[0] ?? '') && !known.has(pair))
if (undeclared.length > 0) {
  console.error(`Seen, and not declared: ${undeclared.join(', ')}`)
  process.exitCode = 1
}

const unseen = Object.keys(REFUSALS).filter((code) => !seenCodes.has(code) && !(code in UNREACHABLE))
console.log(
  `problem codes: ${Object.keys(REFUSALS).length - unseen.length} of ${Object.keys(REFUSALS).length} seen`,
)
if (unseen.length > 0) {
  console.error(`Seen by no test: ${unseen.join(', ')}`)
  process.exitCode = 1
}
