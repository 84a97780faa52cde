import { seesTenant } from '../../shared/domain/access.ts'
import type { EventDraft } from '../../shared/domain/event.ts'
import { isRefusal, notFound, refuse } from '../../shared/domain/refusal.ts'
import { changes } from '../../shared/domain/revision.ts'
import { type Token, tokenView } from '../../shared/domain/token.ts'
import {
  checkRotation,
  endOfOverlap,
  orderToken,
  seesToken,
  successorOf,
} from '../../shared/domain/token-rules.ts'
import { mintToken } from '../../shared/platform/auth/mint-token.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import { KIND, ownedByTenant, tenantKey } from '../../shared/store/keys.ts'
import { readOrganization } from '../../shared/store/organization.ts'
import { readPage } from '../../shared/store/page.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import { readToken, revokeToken, rotateToken, tokenEntity, tokenItem } from '../../shared/store/token.ts'
import { checkLive, putOnce } from '../../shared/store/transact.ts'
import type { Services } from '../services.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import { OPERATION_IDS } from './operation-ids.ts'
import type { accessRoutes } from './routes.ts'

export const accessHandlers: Handlers<typeof accessRoutes, Services> = {
  async createToken(call, { table, commit, stage, secrets }) {
    const facts = orderToken(call.body, call.caller, OPERATION_IDS, call.now)
    if (isRefusal(facts)) return facts
    const { tenantId } = facts
    if (tenantId !== undefined && (await readTenant(table, tenantId)) === undefined) return notFound
    const { organizationId } = facts
    if (tenantId && organizationId && !(await readOrganization(table, tenantId, organizationId)))
      return notFound
    const { text, token } = mintToken(facts, stage, secrets.tokenHash)
    return commit(call, {
      writes: { ...liveTenant(token), token: putOnce(tokenItem(token)) },
      events: [{ ...eventOf('token.created', token), after: tokenView(token) }],
      reply: { token: text, ...tokenView(token) },
      refusals: { tenant: archivedTenant },
    })
  },

  async listTokens({ query, caller }, { table, secrets }) {
    const tenantId = query.tenantId ?? (caller.kind === 'tenant' ? caller.tenantId : undefined)
    if (tenantId !== undefined && !seesTenant(caller, tenantId)) return notFound
    return readPage(
      table,
      secrets.cursorKey,
      tenantId === undefined
        ? { index: 'kind', pk: KIND.tokens, newestFirst: true }
        : { index: 'owned', pk: ownedByTenant(tenantId, 'TOKENS'), newestFirst: true },
      query,
      async (items) =>
        items.map(tokenEntity.decode).map((token) => ({
          ...tokenView(token),
          ...(token.tenantId === undefined && { alias: secrets.staffAlias(token.id) }),
        })),
    )
  },

  async rotateToken(call, { table, commit, stage, secrets }) {
    return untilFresh(async () => {
      const token = await readToken(table, call.params.tokenId)
      if (token === undefined || !seesToken(call.caller, token)) return notFound
      const [predecessor, successor] = await Promise.all([
        token.rotatedFrom && readToken(table, token.rotatedFrom),
        token.rotatedTo && readToken(table, token.rotatedTo),
      ])
      const lineage = { token, predecessor: predecessor || undefined, successor: successor || undefined }
      const refused = checkRotation(lineage, call.caller, call.now)
      if (refused) return refused
      const minted = mintToken(successorOf(lineage, call.caller, call.now), stage, secrets.tokenHash)
      const end = endOfOverlap(token, call.body.overlap, call.now)
      const rotated = { ...token, rotatedTo: minted.token.id, expiresAt: end }
      return commit(call, {
        writes: {
          ...liveTenant(token),
          token: rotateToken(token, minted.token.id, end),
          successor: putOnce(tokenItem(minted.token)),
        },
        events: [
          { ...eventOf('token.rotated', token), ...changes(token, rotated) },
          { ...eventOf('token.created', minted.token), after: tokenView(minted.token) },
        ],
        reply: { token: minted.text, ...tokenView(minted.token) },
        refusals: { tenant: archivedTenant, token: outdated },
      })
    })
  },

  async revokeToken(call, { table, commit }) {
    return untilFresh(async () => {
      const token = await readToken(table, call.params.tokenId)
      if (token === undefined || !seesToken(call.caller, token)) return notFound
      // Revoking twice is revoking once.
      if (token.revokedAt !== undefined)
        return commit(call, { writes: {}, events: [], reply: undefined, refusals: {} })
      return commit(call, {
        writes: { token: revokeToken(token.id, call.now) },
        events: [{ ...eventOf('token.revoked', token), after: { revokedAt: call.now } }],
        reply: undefined,
        refusals: { token: outdated },
      })
    })
  },
}

const archivedTenant = refuse('ARCHIVED', 'The tenant is archived.')

/** A tenant that is archived gets no new tokens. */
function liveTenant({ tenantId }: Token) {
  return tenantId === undefined ? {} : { tenant: checkLive(tenantKey(tenantId)) }
}

function eventOf(type: EventDraft['type'], { id, tenantId }: Token) {
  return { type, subject: { type: 'token', id }, ...(tenantId && { tenantId }) }
}
