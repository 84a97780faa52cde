import { appendFileSync } from 'node:fs'
import * as z from 'zod'
import { WAYS, type Way } from './network.ts'

/** What the run did, as each of its processes notes it in a file of its own. */
const Noted = z.object({
  operations: z.array(z.string()),
  jobs: z.array(z.string()),
  /** Kinds of records of the stream. */
  records: z.array(z.string()),
  faults: z.record(z.enum(WAYS), z.int()),
  commands: z.record(z.string(), z.int()),
  /** How many of the requests that met a fault were answered with success all the same. */
  absorbed: z.int(),
  missed: z.int(),
  parts: z.array(z.string()),
  wrong: z.int(),
})
type Noted = z.infer<typeof Noted>

const nothing = (): Noted => ({
  operations: [],
  jobs: [],
  records: [],
  faults: { before: 0, after: 0, twice: 0, slow: 0 },
  commands: {},
  absorbed: 0,
  missed: 0,
  parts: [],
  wrong: 0,
})

export type Tally = ReturnType<typeof newTally>

export function newTally() {
  const noted = nothing()
  return {
    operation: (name: string) => noted.operations.push(name),
    job: (name: string) => noted.jobs.push(name),
    records: (kinds: readonly string[]) => noted.records.push(...kinds),
    fault(way: Way, command: string, status: number) {
      noted.faults[way] += 1
      noted.commands[command] = (noted.commands[command] ?? 0) + 1
      if (status < 300) noted.absorbed += 1
    },
    missed: () => (noted.missed += 1),
    part: (name: string) => noted.parts.push(name),
    wrong: (count: number) => (noted.wrong += count),
    save: (file: string) => appendFileSync(file, `${JSON.stringify(noted)}\n`),
  }
}

/** What all processes noted, in lines to be read. */
export function summary(lines: string): string {
  const all = lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Noted.parse(JSON.parse(line)))
  const sum = nothing()
  for (const one of all) {
    sum.operations.push(...one.operations)
    sum.jobs.push(...one.jobs)
    sum.records.push(...one.records)
    for (const way of WAYS) sum.faults[way] += one.faults[way]
    for (const [command, count] of Object.entries(one.commands))
      sum.commands[command] = (sum.commands[command] ?? 0) + count
    sum.absorbed += one.absorbed
    sum.missed += one.missed
    sum.parts.push(...one.parts)
    sum.wrong += one.wrong
  }
  const total = WAYS.reduce((count, way) => count + sum.faults[way], 0)
  const by = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .toSorted(([, a], [, b]) => b - a)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')
  return [
    `${sum.operations.length} operations, ${sum.jobs.length} jobs and ${new Set(sum.records).size} kinds of records of the stream, ${total} faults: ${by(sum.faults)}`,
    `  by call: ${by(sum.commands)}`,
    `  ${sum.absorbed} were not noticed by the caller, ${sum.missed} were not met`,
    `  left with a part done, and gone on with: ${[...new Set(sum.parts)].join(', ') || 'none'}`,
    `  wrong: ${sum.wrong}`,
  ].join('\n')
}
