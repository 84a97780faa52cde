import assert from 'node:assert/strict'
import type * as z from 'zod'
import type { licensesRoutes } from '../../../functions/licenses/routes.ts'
import { tenantsRoutes } from '../../../functions/tenants/routes.ts'
import { validationRoutes } from '../../../functions/validation/routes.ts'
import type { LicenseView } from '../../../shared/domain/license-view.ts'
import type { Overview } from '../../../shared/domain/overview.ts'
import type { Instant } from '../../../shared/platform/time.ts'
import type { Client } from './client.ts'

/** Where the story takes place. */
export type World = {
  /** Of the API, without a slash at the end. */
  readonly url: string
  /** Of the role `vendor:admin`. */
  readonly token: string
  /** What every signature says in `iss`; an application has it built in. */
  readonly issuer: string
  /** Writes a license's limit of users straight into the table. */
  readonly tamper: (license: LicenseView, users: number) => Promise<void>
}

/** Who hears the story. */
export type Narrator = {
  chapter(title: string): void
  /** Something that was done, or is so. */
  say(what: string, text: string): void
  /** The code of a verdict or of a refusal, and what it is about. */
  outcome(code: string, text: string, tone: Tone): void
  /** Figures that belong together, each with its title. */
  cards(cards: Readonly<Record<string, string>>): void
}

type Tone = 'good' | 'warning' | 'bad'

/** The world as the chapters go through it. */
export type Tale = World & { readonly client: Client; readonly narrator: Narrator; readonly now: Instant }

/** Credentials: the vendor's administrator, Ina who issues licenses, Tom who administers the tenant. */
export type People = Readonly<Record<'vendor' | 'ina' | 'tom', string>>

export type Issued = z.infer<typeof licensesRoutes.issueLicense.success.body>

export const PRODUCT = 'academy'

/** The verdicts of the story. */
const TONES = {
  VALID: 'good',
  GRACE_PERIOD: 'warning',
  NOT_APPLIED: 'bad',
  SUSPENDED: 'bad',
  TAMPERED: 'bad',
} as const satisfies Record<string, Tone>

/** Asks as an application does, with the key alone, and expects this code. */
export async function expectVerdict(
  { client, narrator }: Tale,
  { key }: Issued,
  code: keyof typeof TONES,
  about: string,
): Promise<void> {
  const body = { key, product: PRODUCT }
  const verdict = await client.ask(validationRoutes.validateLicense, undefined, { body })
  const valid = TONES[code] !== 'bad'
  assert.deepEqual({ code: verdict.code, valid: verdict.valid }, { code, valid })
  narrator.outcome(code, `${valid ? 'valid' : 'not valid'}: ${about}`, TONES[code])
}

export async function showOverview(
  { client, narrator }: Tale,
  tenantId: string,
  { tom }: People,
): Promise<Overview> {
  const overview = await client.ask(tenantsRoutes.getOverview, tom, { params: { tenantId } })
  const { active, capacity, remaining, utilization } = overview.users
  narrator.cards({
    mode: overview.mode,
    'active users': `${active} / ${capacity}`,
    utilization: `${utilization} %`,
    remaining: `${remaining} left`,
  })
  return overview
}

export const day = (instant: Instant | undefined) => instant?.slice(0, 10) ?? 'for ever'
