import * as z from 'zod'

/** Where OIDC identities may come from, per stage; `roles` maps values of the role claim to our roles. */
export const OidcIssuer = z.strictObject({
  issuer: z.url(),
  audience: z.string().min(1),
  /** Where its keys are; `<issuer>/.well-known/jwks.json` unless said otherwise. */
  jwksUri: z.url().optional(),
  roleClaim: z.string().default('roles'),
  /** The claim with the tenant's id, for tenant roles. */
  tenantClaim: z.string().default('tenant'),
  /** The claim with the id of the organization that an `org:admin` administers; `organization` unless said otherwise. */
  organizationClaim: z.string().optional(),
  roles: z.record(z.string(), z.string()),
})
export type OidcIssuer = z.infer<typeof OidcIssuer>

const HeaderName = z.string().regex(/^[a-z][a-z0-9-]{0,99}$/, 'the name of a header, in lower case')

/** An edge in front of the API that says from which country a request comes, such as CloudFront; see places/edge.ts. */
export const EdgeSettings = z.strictObject({
  /** `cloudfront-viewer-country`, for example. */
  countryHeader: HeaderName,
  /** The header with a secret that the edge adds, as proof that a request came through it. */
  proofHeader: HeaderName,
  /** SHA-256, in hex, of the secrets that are good: of 32 random bytes or more, as the hash is no secret. */
  proofSha256: z
    .array(z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex'))
    .min(1)
    .max(4),
})
export type EdgeSettings = z.infer<typeof EdgeSettings>

/** A variable that holds JSON. */
export const json = <S extends z.ZodType>(schema: S) =>
  z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text)
      } catch {
        context.addIssue({ code: 'custom', message: 'is not JSON' })
        return z.NEVER
      }
    })
    .pipe(schema)

/**
 * The environment of every function, and the type of what the construct must set: a forgotten variable does not
 * compile. All values are strings, as Lambda has them.
 */
export const Environment = z.object({
  STAGE: z.string(),
  TABLE_NAME: z.string(),
  /** `iss` of everything signed here. */
  ISSUER: z.string(),
  /** KMS HMAC key that keeps credentials: peppers their hashes, seals replies, signs cursors. */
  CREDENTIAL_KEY_ID: z.string(),
  OIDC_ISSUERS: json(z.array(OidcIssuer)),
  /** `null`: no header is believed to be an edge's. */
  EDGE: json(EdgeSettings.nullable()),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']),
})

/** Of functions that verify license files: KMS P-256 keys, comma-separated, oldest first; the last is the next one. */
export const VerifierEnvironment = z.object({
  SIGNING_KEY_IDS: z.string().transform((text) => text.split(',')),
})

/** Of functions that sign or publish for offline activations: KMS P-256 keys, in the same order. */
export const ActivationKeyEnvironment = z.object({
  ACTIVATION_KEY_IDS: z.string().transform((text) => text.split(',')),
})

/** Of functions that sign checkpoints of audit logs, or verify them: the KMS Ed25519 key. */
export const AuditKeyEnvironment = z.object({ AUDIT_KEY_ID: z.string() })

/** Of functions that look at places: the module with the database of network addresses, beside their own; or nothing. */
export const PlaceEnvironment = z.object({ COUNTRY_MODULE: z.string() })

/** Of functions that make or show license keys: the KMS HMAC key from which they are derived. */
export const LicenseKeyEnvironment = z.object({ LICENSE_KEY_KEY_ID: z.string() })

/** Of functions that sign verdicts or publish the keys for it: the KMS HMAC key from which those are derived. */
export const SessionKeyEnvironment = z.object({ SESSION_KEY_ID: z.string() })

/** Of the function that sends webhooks: `loopback` also to the computer it runs on; see webhooks/target.ts. */
export const WebhookEnvironment = z.object({ WEBHOOK_TARGETS: z.enum(['public', 'loopback']) })

/** The variables of a function, by name, as text: what a construct has to provide. */
export type Variables<S extends z.ZodObject> = Record<keyof z.input<S> & string, string>

/** Reads and checks variables once, at the start of a function; says which one is wrong. */
export function readEnvironment<S extends z.ZodObject>(schema: S): z.output<S> {
  const parsed = schema.safeParse(process.env)
  if (parsed.success) return parsed.data
  const wrong = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
  throw new Error(`The environment of this function is not complete: ${wrong}`)
}
