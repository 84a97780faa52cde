import type { ActivationSigner } from '../../shared/platform/signing/activation-signer.ts'
import type { PlaceServices } from '../places.ts'
import type { VerifyingServices } from '../verified.ts'

export type ActivationServices = VerifyingServices &
  PlaceServices & {
    /** Makes the response file of an offline activation. */
    readonly sign: ActivationSigner
  }
