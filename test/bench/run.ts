// `npm run bench`: what the service costs, ours beside the floor. `--only <text>` runs the subjects whose name has it;
// `--people <number>` is how many there are in that of people: 100,000 if it runs alone, which takes an hour or so.
// `--write` puts the table into results.md, with the date and what the machine is.
import { parseArgs } from 'node:util'
import { cost } from './subjects/cost.ts'
import { leaseUnits } from './subjects/lease-units.ts'
import { leases } from './subjects/leases.ts'
import { people } from './subjects/people.ts'
import { poolSize } from './subjects/pool-size.ts'
import { queue } from './subjects/queue.ts'
import { signing } from './subjects/signing.ts'
import { timers } from './subjects/timers.ts'
import { validateColdStart } from './subjects/validate-cold-start.ts'
import { validateIo } from './subjects/validate-io.ts'
import { validateWork } from './subjects/validate-work.ts'
import { type Bench, startBench } from './support/bench.ts'
import { render, type Section } from './support/report.ts'
import { writeResults } from './support/results.ts'

const ALONE = 100_000
const BESIDE_OTHERS = 2_000

/** A new subject is a file in `subjects/` and a line here. */
const SUBJECTS: Readonly<Record<string, (bench: Bench) => Promise<Section>>> = {
  'validate-io': validateIo,
  'validate-work': validateWork,
  'validate-cold-start': validateColdStart,
  signing,
  leases,
  'lease-units': leaseUnits,
  'pool-size': poolSize,
  queue,
  timers: (own) => timers(own, values.timers === undefined ? undefined : Number(values.timers)),
  cost,
  people: (own) => people(own, Number(values.people ?? (chosen.length === 1 ? ALONE : BESIDE_OTHERS))),
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    people: { type: 'string' },
    timers: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
})
const chosen = Object.entries(SUBJECTS).filter(([name]) => name.includes(values.only))
if (chosen.length === 0) {
  console.error(`There is no subject ${values.only}; there are ${Object.keys(SUBJECTS).join(', ')}.`)
  process.exit(2)
}

// Of people alone there are many.
const forHours = chosen.length === 1 && chosen[0]?.[0] === 'people'
const bench = await startBench((text) => console.error(`… ${text}`), { forHours })
try {
  const sections: Section[] = []
  for (const [, measure] of chosen) sections.push(await measure(bench))
  const table = render(sections)
  console.log(table)
  if (values.write) writeResults(table)
} finally {
  await bench.stop()
}
