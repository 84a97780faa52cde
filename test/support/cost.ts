import type { Api } from './api.ts'

/** Requests to DynamoDB and KMS, by operation, that a piece of work makes; those it does not make are left out. */
export async function costOf(api: Api, work: () => Promise<unknown>): Promise<Record<string, number>> {
  const calls = () => ({ ...api.dynamoCalls(), ...api.kmsCalls() })
  const before: Readonly<Record<string, number>> = calls()
  await work()
  const made = Object.entries(calls()).map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
  return Object.fromEntries(made.filter(([, count]) => count > 0))
}
