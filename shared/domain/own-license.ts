import type { LicenseId } from '../platform/ids.ts'
import type { Standing } from './holdings.ts'
import { type Refusal, refuse } from './refusal.ts'

/** A license key gets something only while its own license counts; undefined if it does, or no license key asks. */
export function refuseOwn(
  all: ReadonlyMap<LicenseId, Standing>,
  asking: LicenseId | undefined,
): Refusal | undefined {
  const own = asking && all.get(asking)
  if (asking === undefined || own?.counts) return undefined
  const why = own?.because === 'STATUS' ? own.status : (own?.because ?? 'unknown')
  return refuse('LICENSE_NOT_IN_FORCE', `The license is ${why}.`)
}
