import type { Bench } from '../support/bench.ts'
import type { Bundles } from '../support/bundles.ts'
import type { Section } from '../support/report.ts'
import { post } from '../support/requests.ts'
import { alternate, compare } from '../support/rounds.ts'

const SAMPLES = 15

type Start = { readonly imported: number; readonly answered: number }

/** One new process: what it takes to import the bundle, and to answer a first request after that. */
async function coldStart(bench: Bench, bundle: keyof Bundles, event: string): Promise<Start> {
  const arm = await bench.start(bundle)
  const { milliseconds } = await arm.invoke(event)
  await arm.stop()
  return { imported: arm.importMilliseconds, answered: arm.importMilliseconds + milliseconds }
}

export async function validateColdStart(bench: Bench): Promise<Section> {
  bench.progress(`validate, cold start: ${SAMPLES} of each`)
  const [license] = bench.sold.licenses
  const validation = post('/v1/validate', { body: { key: license?.key } })
  const read = post('/v1/validate', { body: { table: bench.table, key: license?.row } })
  const pairs = await alternate(
    SAMPLES,
    () => coldStart(bench, 'validation', validation),
    () => coldStart(bench, 'sdkClient', read),
  )
  const part = (name: keyof Start) =>
    compare(pairs.map(({ ours, floor }) => ({ ours: ours[name], floor: floor[name] })))
  const kilobytes = {
    ours: bench.bundles.validation.bytes / 1000,
    floor: bench.bundles.sdkClient.bytes / 1000,
  }
  return {
    title: 'validate, cold start',
    floor: "esbuild's plain ESM bundle of client-dynamodb and one GetItem",
    rows: [
      {
        name: 'bundle',
        unit: 'kB',
        ...kilobytes,
        ratio: kilobytes.ours / kilobytes.floor,
        budget: { of: 'ours', most: 450 },
      },
      { name: 'import', unit: 'ms', ...part('imported'), budget: { of: 'ratio', most: 1 } },
      { name: 'import and first answer', unit: 'ms', ...part('answered') },
    ],
  }
}
