import type { AskedMachine } from './activation-findings.ts'
import type { Place } from './place.ts'
import type { AskedSeat } from './seat-findings.ts'
import type { AskedVersion } from './version-findings.ts'

/** What the caller wants to know beyond "is it valid". */
export type Question = {
  product?: string | undefined
  fingerprint?: string | undefined
  /** The machine that asks, looked up among the activations where the license counts machines. */
  machine?: AskedMachine | undefined
  /** Where it is asked from, looked at where the license is limited to countries. */
  place?: Place | undefined
  /** Who asks, for site licenses. */
  email?: string | undefined
  organization?: string | undefined
  features?: readonly string[] | undefined
  /** The version that asks, looked up among the product's releases where the license limits versions. */
  version?: AskedVersion | undefined
  userId?: string | undefined
  /** The seat of who asks, looked up where the license is for named users and seats are managed here. */
  seat?: AskedSeat | undefined
  /** The revision of the file that was presented instead of a key. */
  fileRevision?: number | undefined
}
