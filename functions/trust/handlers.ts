import type { Handlers } from '../../shared/platform/http/contract.ts'
import type { SessionKeys } from '../../shared/platform/signing/session-keys.ts'
import type { VerifyingServices } from '../verified.ts'
import type { trustRoutes } from './routes.ts'

export type TrustServices = VerifyingServices & { readonly sessionKeys: SessionKeys }

export const trustHandlers: Handlers<typeof trustRoutes, TrustServices> = {
  async getJwks({ now }, { publicKeys, sessionKeys }) {
    const keys = [...publicKeys, ...(await sessionKeys.published(now))]
    return { keys: keys.map(({ kid, jwk }) => ({ ...jwk, kid, alg: 'ES256', use: 'sig' })) }
  },
}
