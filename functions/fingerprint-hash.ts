import type { Activation } from '../shared/domain/activation.ts'
import type { Component } from '../shared/domain/fingerprint.ts'
import type { TenantId } from '../shared/platform/ids.ts'
import type { Secrets } from '../shared/platform/signing/mac.ts'

/**
 * The components of a machine as they are stored: keyed hashes, salted with the tenant, so that neither the table's
 * reader nor another tenant can try out what hardware it was. Duplicates are one.
 */
export function hashedComponents(
  components: readonly Component[],
  tenantId: TenantId,
  secrets: Pick<Secrets, 'fingerprintHash'>,
): Activation['components'] {
  const byHash = new Map<string, Activation['components'][number]>()
  for (const { component, value } of components) {
    const hash = secrets.fingerprintHash(JSON.stringify([tenantId, component ?? null, value]))
    byHash.set(hash, { ...(component && { component }), hash })
  }
  return [...byHash.values()]
}
