import type { Found, LogProgress } from '../../shared/domain/integrity.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import type { KeyProbe } from '../../shared/platform/signing/probe-keys.ts'
import type { PublicKey } from '../../shared/platform/signing/public-keys.ts'
import type { SessionKeys } from '../../shared/platform/signing/session-keys.ts'
import type { VerifyingServices } from '../verified.ts'
import { integrityHandlers } from './integrity-handlers.ts'
import { jobHandlers } from './job-handlers.ts'
import type { trustRoutes } from './routes.ts'
import { validationHandlers } from './validation-handlers.ts'

/** How far a check of a log came, and what is wrong with it. */
type LogCheck = { readonly progress: LogProgress; readonly found: readonly Found[] }

export type TrustServices = VerifyingServices & {
  /** Of the keys that sign the response files of offline activations. */
  readonly activationKeys: readonly PublicKey[]
  readonly sessionKeys: SessionKeys
  /** What KMS has for the keys that are published. */
  readonly probeKeys: () => Promise<readonly KeyProbe[]>
  /** Holds a tenant's audit log against its checkpoints while there is time; nothing where it could not be read. */
  readonly checkLog: (
    tenantId: TenantId,
    requestId: string,
    isWhole: boolean,
    hasTime: () => boolean,
  ) => Promise<LogCheck | undefined>
}

export const trustHandlers: Handlers<typeof trustRoutes, TrustServices> = {
  ...validationHandlers,
  ...integrityHandlers,
  ...jobHandlers,

  async getJwks({ now }, { publicKeys, activationKeys, sessionKeys }) {
    const keys = [...publicKeys, ...(await sessionKeys.published(now)), ...activationKeys]
    return { keys: keys.map(({ kid, jwk }) => ({ ...jwk, kid, alg: 'ES256', use: 'sig' })) }
  },
}
