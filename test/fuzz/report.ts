import type { Failure, Records } from './records.ts'

/** A line for each operation: how often it was answered with which status. */
export function printTotals({ answers }: Records): void {
  let requests = 0
  for (const [operation, counts] of [...answers].toSorted()) {
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
    requests += total
    const statuses = [...counts].toSorted().map(([status, count]) => `${status}×${count}`)
    console.log(`${String(total).padStart(6)}  ${operation.padEnd(72)} ${statuses.join(' ')}`)
  }
  console.log(`${String(requests).padStart(6)}  requests to ${answers.size} operations`)
}

/** Each kind of failure once, with the request that shows it. @returns whether there is none */
export function printFailures({ failures }: Records): boolean {
  const kinds = Map.groupBy(failures, kindOf)
  for (const [kind, [first, ...others]] of kinds) {
    if (first === undefined) continue
    console.log(`\n${kind}${others.length > 0 ? ` (and ${others.length} more)` : ''}`)
    console.log(`  ${first.message.replaceAll('\n', '\n  ')}`)
    console.log(`  answered ${first.status}: ${first.answer.slice(0, 600)}`)
    console.log(`  ${first.curl.slice(0, 2_000)}`)
  }
  console.log(`\n${failures.length} failures of ${kinds.size} kinds`)
  return failures.length === 0
}

const kindOf = ({ operation, check, status }: Failure) => `${operation}: ${check}, ${status}`
