import type { VerifyingServices } from '../verified.ts'
import type { ActivationSigner } from './activation-signer.ts'

export type ActivationServices = VerifyingServices & {
  /** Makes the response file of an offline activation. */
  readonly sign: ActivationSigner
}
