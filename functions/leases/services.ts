import type { SessionKeys } from '../../shared/platform/signing/session-keys.ts'
import type { PlaceServices } from '../places.ts'
import type { VerifyingServices } from '../verified.ts'
import type { Sights } from './sight.ts'

export type LeaseServices = VerifyingServices &
  PlaceServices & {
    readonly sights: Sights
    readonly sessionKeys: SessionKeys
  }
