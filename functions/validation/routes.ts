import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { Country } from '../../shared/domain/country.ts'
import { Email } from '../../shared/domain/email.ts'
import { Components } from '../../shared/domain/fingerprint.ts'
import { Code } from '../../shared/domain/terms.ts'
import { Verdict } from '../../shared/domain/verdict.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { LicenseId } from '../../shared/platform/ids.ts'

const ValidateBody = z
  .strictObject({
    /** What is validated: one of these, or the key in `Authorization: License`. */
    key: z.string().max(200).optional(),
    licenseId: LicenseId.optional(),
    file: z.unknown().optional(),
    /** Code or id of the product that asks. */
    product: z.string().max(64).optional(),
    version: z.string().max(100).optional(),
    fingerprint: z.string().min(8).max(200).optional(),
    /** The components of the machine, where it was activated with several or with named ones. */
    fingerprints: Components.optional(),
    /** Who asks: our id of the person, or its external id. */
    userId: z.string().max(100).optional(),
    /** Where it is used, as the caller says; what the network shows may go before it. */
    country: Country.optional(),
    /** Who asks, for site licenses. */
    email: Email.optional(),
    organization: z.string().min(1).max(100).optional(),
    features: z.array(Code).max(100).optional(),
    /** Asks for a signed verdict bound to this text. */
    nonce: z.string().min(8).max(200).optional(),
  })
  .refine((body) => [body.key, body.licenseId, body.file].filter((one) => one !== undefined).length <= 1, {
    message: 'name only one of key, licenseId and file',
  })

export const validationRoutes = {
  validateLicense: {
    method: 'POST',
    path: '/v1/validate',
    access: 'public',
    body: ValidateBody,
    bodyLimit: 100 * 1024,
    success: {
      status: 200,
      body: z.strictObject({
        ...Verdict.shape,
        /** The verdict as a short-lived JWS (`typ: verdict+jwt`), if a nonce was sent; verifies with the same JWKS. */
        signed: z.string().optional(),
      }),
    },
    errors: ['FORBIDDEN', 'TOO_MANY_FAILURES', 'CONTENDED'],
    summary: 'Is this license valid, and if not, why, and what would cure it?',
    description: `A key is its own credential. A license id needs a token: of a tenant for its own licenses (another's is NOT_FOUND), of ${VENDOR_ROLES.join(', ')} for all.`,
    safe: true,
  },
} as const satisfies RouteTable
