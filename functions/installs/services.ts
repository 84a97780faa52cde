import type { LicenseKeyMaker } from '../../shared/platform/signing/license-key-maker.ts'
import type { VerifyingServices } from '../verified.ts'

/** What tenants' licenses need beside the common services: the maker of keys, for those that a transfer brought. */
export type InstallServices = VerifyingServices & { readonly keyOf: LicenseKeyMaker }
