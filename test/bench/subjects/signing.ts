import type { Arm } from '../support/arm.ts'
import type { Bench } from '../support/bench.ts'
import type { Section } from '../support/report.ts'
import { fromMany } from '../support/requests.ts'
import { alternate, compareEffort } from '../support/rounds.ts'

const ROUNDS = 11
const ISSUES = 25
const VERDICTS = 400

export async function signing(bench: Bench): Promise<Section> {
  const [license] = bench.sold.licenses
  const plain = fromMany('/v1/validate', { key: license?.key })
  const withNonce = fromMany('/v1/validate', { key: license?.key, nonce: 'n-2c1743a391305fbf' })
  const issues = (count: number) => Array.from({ length: count }, bench.sold.issueRequest)
  const issue = (arm: Arm, count = ISSUES) => arm.run(issues(count), count, 1)
  const [validation, signed, unsigned] = await Promise.all([
    bench.start('validation'),
    bench.start('licenses'),
    bench.start('unsignedLicenses'),
  ])

  async function kmsPer(calls: number, run: () => Promise<unknown>): Promise<number> {
    const before = bench.kmsCalls()
    await run()
    return (bench.kmsCalls() - before) / calls
  }

  bench.progress('signing: warming up')
  await validation.run(withNonce, 2000, 8)
  await issue(signed, 100)
  await issue(unsigned, 100)
  bench.progress('signing: KMS calls')
  const kmsPerVerdict = await kmsPer(500, () => validation.run(withNonce, 500, 8))
  const kmsPerIssue = await kmsPer(ISSUES, () => issue(signed))
  const kmsPerUnsignedIssue = await kmsPer(ISSUES, () => issue(unsigned))
  bench.progress('signing: verdicts')
  const verdicts = await alternate(
    ROUNDS,
    () => validation.run(withNonce, VERDICTS, 8),
    () => validation.run(plain, VERDICTS, 8),
  )
  bench.progress('signing: issues')
  const issued = await alternate(
    ROUNDS,
    () => issue(signed),
    () => issue(unsigned),
  )
  await Promise.all([validation, signed, unsigned].map((arm) => arm.stop()))
  return {
    title: 'signing',
    floor: 'the same without the signature',
    rows: [
      { name: 'signed verdict: KMS calls', ours: kmsPerVerdict, floor: 0, budget: { of: 'ours', most: 0 } },
      { name: 'signed verdict: CPU', unit: 'µs', ...compareEffort('cpu', verdicts) },
      { name: 'issued license: KMS calls', ours: kmsPerIssue, floor: kmsPerUnsignedIssue },
      {
        name: 'issued license: CPU',
        unit: 'µs',
        ...compareEffort('cpu', issued),
        budget: { of: 'ratio', most: 1.1 },
      },
    ],
  }
}
