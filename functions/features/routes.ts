import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { Country } from '../../shared/domain/country.ts'
import { Email } from '../../shared/domain/email.ts'
import { Entitlement, Standpoint } from '../../shared/domain/entitlement.ts'
import { Explanation } from '../../shared/domain/explanation.ts'
import { Components } from '../../shared/domain/fingerprint.ts'
import { EvaluatedFlag } from '../../shared/domain/flags.ts'
import { Code } from '../../shared/domain/terms.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { ActivationId, LicenseId, ProductId, TenantId } from '../../shared/platform/ids.ts'
import { Countable, Instant } from '../../shared/platform/time.ts'

/** OFREP's evaluation context: `targetingKey` names the user or machine; other members are passed on and not used. */
const Context = z.strictObject({
  context: z
    .looseObject({ targetingKey: z.string().max(200).optional(), product: z.string().max(64).optional() })
    .optional(),
})

const Text = z.string().min(1).max(100)

/** What `explain` can be asked about: one of these, each named by any of its fields. */
const SUBJECTS = [
  ['licenseId'],
  ['feature'],
  ['metric'],
  ['userId', 'email', 'organization'],
  ['activationId', 'fingerprints'],
  ['leaseId'],
  ['ticketId'],
] as const

const ExplainBody = z
  .strictObject({
    /** Required of vendor staff. */
    tenantId: TenantId.optional(),
    /** Code or id; with a license key its own product. Not needed with an id. */
    product: z.string().max(64).optional(),
    licenseId: LicenseId.optional(),
    /** With a license: would it be refused there? Of a person or machine: where it says that it is. */
    country: Country.optional(),
    feature: Code.optional(),
    metric: Code.optional(),
    /** How many more of the metric are wanted. */
    units: z.int().min(1).max(1_000_000).default(1),
    /** A person: as named in check-outs and activations, and as a site license asks. */
    userId: Text.optional(),
    email: Email.optional(),
    organization: Text.optional(),
    department: Text.optional(),
    /** A machine: by its activation or its fingerprints; by both, whether the place of the one would go to the other. */
    activationId: ActivationId.optional(),
    fingerprints: Components.optional(),
    leaseId: z.string().max(4000).optional(),
    ticketId: z.string().max(4000).optional(),
  })
  .refine((body) => SUBJECTS.filter((names) => names.some((name) => body[name] !== undefined)).length === 1, {
    message:
      'name one subject: licenseId, feature, metric, a user (userId, email, organization), a machine (activationId, fingerprints), leaseId or ticketId',
  })
  .refine(
    ({ country, leaseId, ticketId, feature }) => country === undefined || !(leaseId ?? ticketId ?? feature),
    {
      message: 'country goes with a license, a metric, a user or a machine',
      path: ['country'],
    },
  )

const evaluators = ['tenant:app', 'tenant:admin', 'license'] as const

export const featuresRoutes = {
  getEntitlements: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/entitlements',
    access: [...VENDOR_ROLES, 'tenant:admin', 'tenant:reporter', 'tenant:app'],
    params: z.strictObject({ tenantId: TenantId }),
    query: z.strictObject({ at: Countable.optional(), productId: ProductId.optional() }),
    success: {
      status: 200,
      body: z.strictObject({
        at: Instant,
        products: z.array(
          z.strictObject({
            ...Entitlement.shape,
            code: Code,
            /** Every license that is held, and whether and why it counts. */
            licenses: z.array(Standpoint),
            /** The next instant at which time alone changes any of this. */
            nextChangeAt: Instant.optional(),
          }),
        ),
      }),
    },
    errors: [],
    summary: 'What the tenant is entitled to at an instant, with the source of every number',
    description:
      'Computed from the licenses as they are stored now; `at` moves only the clock. What is in use is told as by the overview.',
  },
  explain: {
    method: 'POST',
    path: '/v1/explain',
    access: [...VENDOR_ROLES, 'tenant:admin', 'tenant:app', 'license'],
    body: ExplainBody,
    success: { status: 200, body: Explanation },
    errors: ['NOT_FOUND'],
    summary:
      'Why: the chain from the question to the answer, each step with its evidence, and the cheapest cure',
    description:
      'Of a license, a feature, a metric, a user, a machine, a lease or a ticket. Decided on the same rows by the same rules as the operations whose answers it predicts; it changes nothing. A license key is told numbers and no names.',
    safe: true,
  },
  evaluateFlags: {
    method: 'POST',
    path: '/ofrep/v1/evaluate/flags',
    access: evaluators,
    body: Context,
    success: { status: 200, body: z.strictObject({ flags: z.array(EvaluatedFlag) }) },
    errors: [],
    summary: 'All features as flags (OpenFeature Remote Evaluation Protocol 0.3, bulk)',
    description:
      'Answers with an ETag; If-None-Match with the same one is answered 304. With the key of a license that does not count all are off, whatever others of the tenant give.',
    safe: true,
    conditional: true,
  },
  evaluateFlag: {
    method: 'POST',
    path: '/ofrep/v1/evaluate/flags/{key}',
    access: evaluators,
    params: z.strictObject({ key: z.string().min(1).max(64) }),
    body: Context,
    success: { status: 200, body: EvaluatedFlag },
    errors: ['FLAG_NOT_FOUND'],
    summary: 'One feature as a flag (OpenFeature Remote Evaluation Protocol 0.3)',
    safe: true,
  },
} as const satisfies RouteTable
