import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { readClock } from '../../../shared/platform/time.ts'

const FILE = join(import.meta.dirname, '..', 'results.md')

/** Writes results.md: the table, when it was made, and on what. Call it when the bench is done. */
export function writeResults(table: string): void {
  const day = readClock().slice(0, 10)
  const model = cpus()[0]?.model ?? 'unknown'
  const memory = Math.round(totalmem() / 2 ** 30)
  const [load = 0] = loadavg()
  const text = `# What the service costs

\`npm run bench -- --write\` wrote this on ${day}: Node.js ${process.versions.node}, ${process.platform} ${process.arch}, ${availableParallelism()} cores (${model}), ${memory} GB,
load ${load.toFixed(1)} in its last minute. Ratios and counts hold elsewhere; microseconds only beside each other. Why rows
miss their budget is in the [README](README.md#what-is-over-budget).

\`\`\`
${table.trim()}
\`\`\`
`
  writeFileSync(FILE, text)
}
