import type { Handlers } from '../../shared/platform/http/contract.ts'
import type { PublicKey } from '../../shared/platform/signing/public-keys.ts'
import type { SessionKeys } from '../../shared/platform/signing/session-keys.ts'
import type { VerifyingServices } from '../verified.ts'
import type { trustRoutes } from './routes.ts'

export type TrustServices = VerifyingServices & {
  /** Of the keys that sign the response files of offline activations. */
  readonly activationKeys: readonly PublicKey[]
  readonly sessionKeys: SessionKeys
}

export const trustHandlers: Handlers<typeof trustRoutes, TrustServices> = {
  async getJwks({ now }, { publicKeys, activationKeys, sessionKeys }) {
    const keys = [...publicKeys, ...(await sessionKeys.published(now)), ...activationKeys]
    return { keys: keys.map(({ kid, jwk }) => ({ ...jwk, kid, alg: 'ES256', use: 'sig' })) }
  },
}
