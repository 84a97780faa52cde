import { operations } from '../../functions/routes.ts'
import { OrganizationId, PlanId, ProductId, TransferId } from '../../shared/platform/ids.ts'
import { readClock } from '../../shared/platform/time.ts'
import { type Key, organizationKey, planKey, productKey, tenantKey } from '../../shared/store/keys.ts'
import { readTransfer } from '../../shared/store/transfer.ts'
import { createTenant } from '../support/resources.ts'
import type { World } from './calls.ts'
import type { Sent } from './requests.ts'
import { type Refused, type Spoil, set, tenantOf } from './spoil.ts'

const archive =
  (keyOf: (world: World, sent: Sent) => Key): Spoil =>
  async (world, sent) => {
    await set(world, keyOf(world, sent), { archivedAt: readClock() })
    return sent
  }

const product = archive(({ tenancy }) => productKey(ProductId.parse(tenancy.known.productId)))
const plan = archive(({ tenancy }) => planKey(PlanId.parse(tenancy.known.planId)))
const organization = archive((world, sent) =>
  organizationKey(
    tenantOf(world, sent),
    OrganizationId.parse(sent.params?.['organizationId'] ?? world.tenancy.known.organizationId),
  ),
)

/** What has to be archived for an operation to be refused, where that is not the tenant. */
const OTHERS: Readonly<Record<string, Spoil>> = {
  editProduct: product,
  archiveProduct: product,
  createPlan: product,
  editPlan: plan,
  archivePlan: plan,
  publishRelease: product,
  editOrganization: organization,
  archiveOrganization: organization,
  reserveSeats: organization,
  // Vendor staff names who is to have it.
  async requestTransfer(world, sent) {
    const { id } = await createTenant(world.api)
    await set(world, tenantKey(id), { archivedAt: readClock() })
    return { ...sent, body: { receiver: id } }
  },
  async approveTransfer(world, sent) {
    const transfer = await readTransfer(world.api.table, TransferId.parse(sent.params?.['transferId']))
    if (transfer?.receiving === undefined) throw new Error('nobody has taken it up')
    await set(world, tenantKey(transfer.receiving.tenantId), { archivedAt: readClock() })
    return sent
  },
  // Into the one that is archived.
  async editUser(world, sent) {
    const organizationId = OrganizationId.parse(world.tenancy.known.parentId)
    await set(world, organizationKey(tenantOf(world, sent), organizationId), { archivedAt: readClock() })
    return { ...sent, body: { organizationId } }
  },
}

const tenant = archive((world, sent) => tenantKey(tenantOf(world, sent)))

/** Every operation that says it is refused where something is archived. */
export const archived: readonly Refused[] = operations
  .filter(({ errors }) => errors.includes('ARCHIVED'))
  .map(({ operationId }) => [operationId, 'ARCHIVED', OTHERS[operationId] ?? tenant])
