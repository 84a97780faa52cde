/**
 * How much a model is walked: the same walks in every run, so that a run tells of a change and not of luck.
 * `WALKS=50 npx vitest run test/functions/leases/model.test.ts` takes fifty times as many, others each time: to be done
 * after a change of what the model is of. A failure names its seed and path: `fc.assert(…, { seed, path })` plays it again.
 */
export function walks(runs: number, seed = 4242) {
  const times = Number(process.env['WALKS'] ?? 0)
  const settings = { numRuns: runs * Math.max(1, times), endOnFailure: true }
  return times > 0 ? settings : { ...settings, seed }
}
