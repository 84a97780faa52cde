import valid from 'semver/functions/valid.js'
import { seesTenant } from '../../shared/domain/access.ts'
import type { License } from '../../shared/domain/license.ts'
import { isRefusal, notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Release } from '../../shared/domain/release.ts'
import { type NotCovered, upgrades } from '../../shared/domain/versions.ts'
import type { Call, Handlers } from '../../shared/platform/http/contract.ts'
import { findLicense } from '../../shared/store/address.ts'
import { readProduct } from '../../shared/store/catalog.ts'
import { readLicense } from '../../shared/store/holdings.ts'
import { productKey, RELEASE_PREFIX } from '../../shared/store/keys.ts'
import { readPage } from '../../shared/store/page.ts'
import { readRelease, readReleases, releaseEntity, releaseItem } from '../../shared/store/release.ts'
import { checkLive, putOnce, type Table } from '../../shared/store/transact.ts'
import type { Services } from '../services.ts'
import type { releasesRoutes } from './routes.ts'

const CURE: Record<NotCovered, string> = {
  VERSION_RULE: 'Buy an upgrade to this version line.',
  MAINTENANCE_ENDED: 'Renew maintenance.',
}

export const releasesHandlers: Handlers<typeof releasesRoutes, Services> = {
  async publishRelease(call, { table, commit }) {
    const { productId } = call.params
    const { version, channel, releasedAt } = call.body
    if (valid(version) !== version) return noVersion(version, '/body/version')
    const product = await readProduct(table, productId)
    if (product === undefined) return notFound
    const release: Release = { productId, version, channel, releasedAt: releasedAt ?? call.now }
    return commit(call, {
      writes: { product: checkLive(productKey(productId)), release: putOnce(releaseItem(release)) },
      events: [{ type: 'release.published', subject: { type: 'product', id: productId }, after: release }],
      reply: release,
      refusals: {
        product: refuse('ARCHIVED', `The product ${product.code} is archived.`),
        release: refuse('CODE_TAKEN', `There is a release ${version} already.`),
      },
    })
  },

  async listReleases({ params, query }, { table, secrets }) {
    if ((await readProduct(table, params.productId)) === undefined) return notFound
    const range = { pk: productKey(params.productId).pk, prefix: RELEASE_PREFIX }
    return readPage(table, secrets.cursorKey, range, query, async (items) => items.map(releaseEntity.decode))
  },

  async withdrawRelease(call, { table, commit }) {
    const { productId } = call.params
    const release = await readRelease(table, productId, call.body.version)
    if (release === undefined) return notFound
    const withdrawn: Release = { ...release, withdrawnAt: call.now }
    const refused = refuse('TRANSITION_NOT_ALLOWED', `${release.version} is withdrawn already.`)
    return commit(call, {
      writes: {
        release: {
          kind: 'put',
          item: releaseItem(withdrawn),
          condition: 'attribute_not_exists(withdrawnAt)',
        },
      },
      events: [
        {
          type: 'release.withdrawn',
          subject: { type: 'product', id: productId },
          before: release,
          after: withdrawn,
          reason: call.body.reason,
        },
      ],
      reply: withdrawn,
      refusals: { release: refused },
    })
  },

  async getUpgrades(call, { table }) {
    const license = await findAskedLicense(call, table)
    if (isRefusal(license)) return license
    const { channel, version } = call.query
    if (version !== undefined && valid(version) === null) return noVersion(version, '/query/version')
    const releases = await readReleases(table, call.params.productId)
    const { answer, best, beyond } = upgrades(
      license,
      // What is announced for later is no offer yet.
      releases.filter((release) => release.channel === channel && release.releasedAt <= call.now),
      version,
    )
    return {
      answer,
      ...(best && { best }),
      beyond: beyond.map((one) => ({ ...one, cure: CURE[one.because] })),
    }
  },
}

const noVersion = (version: string, field: string): Refusal =>
  refuse(
    'INVALID_REQUEST',
    `${version} is no version of Semantic Versioning 2.0.0 in full, without build metadata.`,
    {
      errors: [{ field, message: 'must look like 2.1.0 or 2.1.0-beta.1' }],
    },
  )

/** The caller's own license, or the one it names and may know of; for this product. */
async function findAskedLicense(
  {
    caller,
    params,
    query,
  }: Pick<Call<(typeof releasesRoutes)['getUpgrades']>, 'caller' | 'params' | 'query'>,
  table: Table,
): Promise<License | Refusal> {
  const id = caller.kind === 'license' ? caller.licenseId : query.licenseId
  if (id === undefined) {
    return refuse('INVALID_REQUEST', 'Name the license.', {
      errors: [{ field: '/query/licenseId', message: 'is required' }],
    })
  }
  const address = await findLicense(table, id)
  if (
    address === undefined ||
    address.productId !== params.productId ||
    !seesTenant(caller, address.tenantId)
  )
    return notFound
  return (await readLicense(table, address)) ?? notFound
}
