import type { SessionKeys } from '../../shared/platform/signing/session-keys.ts'
import type { PlaceServices } from '../places.ts'
import type { VerifyingServices } from '../verified.ts'
import type { RememberedGrounds } from './grounds.ts'

export type LeaseServices = VerifyingServices &
  PlaceServices & {
    readonly remembered: RememberedGrounds
    readonly sessionKeys: SessionKeys
  }
