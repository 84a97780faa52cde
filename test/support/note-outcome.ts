import { appendFileSync } from 'node:fs'

/** Where outcomes go; nowhere unless somebody wants to know. */
const file = process.env['OUTCOMES']
const noted = new Set<string>()

/** Notes that a test saw an operation end in some way, such as `409 CODE_TAKEN`; see compare-outcomes.ts. */
export function noteOutcome(operationId: string, outcome: string): void {
  const line = `${operationId} ${outcome}\n`
  if (file === undefined || noted.has(line)) return
  noted.add(line)
  appendFileSync(file, line)
}
