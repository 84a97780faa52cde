import { UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { Activation } from '../domain/activation.ts'
import type { Pulse } from '../domain/heartbeat.ts'
import type { ActivationId, ProductId, TenantId } from '../platform/ids.ts'
import { epochMilliseconds, type Instant } from '../platform/time.ts'
import { entity, type Item } from './codec.ts'
import { activationKey, activationsKey } from './keys.ts'
import { readItem, readItems, readPages } from './read.ts'
import { type Action, isConditionFailed, sendAlone, type Table } from './transact.ts'

export const activationEntity = entity('activation', 1, Activation)

export const activationItem = (activation: Activation): Item =>
  activationEntity.encode(activationKey(activation.tenantId, activation.id), activation)

export async function readActivation(
  table: Table,
  tenantId: TenantId,
  id: ActivationId,
): Promise<Activation | undefined> {
  const item = await readItem(table, activationKey(tenantId, id))
  return item && activationEntity.decode(item)
}

/** Those of these activations that there are. */
export async function readActivations(
  table: Table,
  tenantId: TenantId,
  ids: readonly ActivationId[],
): Promise<Activation[]> {
  const items = await readItems(
    table,
    ids.map((id) => activationKey(tenantId, id)),
  )
  return items.map(activationEntity.decode)
}

/** The machines of a product, oldest first, page by page, strongly consistent: whoever looks for a few can stop. */
export async function* readMachines(
  table: Table,
  tenantId: TenantId,
  productId: ProductId,
): AsyncGenerator<Activation> {
  for await (const { items } of readPages(table, { pk: activationsKey(tenantId) })) {
    for (const item of items) {
      const activation = activationEntity.decode(item)
      if (activation.productId === productId) yield activation
    }
  }
}

/**
 * Takes a row away as it was read. A dead one only if no heartbeat came since: a machine that was heard of in the
 * meantime keeps its place (licensing-semantics.md, section 21: ping versus sweep).
 */
export const removeActivation = ({ tenantId, id, version, pulse }: Activation, onlyDead = false): Action => ({
  kind: 'remove',
  key: activationKey(tenantId, id),
  condition: `version = :version${onlyDead ? ' AND pulse.aliveUntil = :end' : ''}`,
  values: { ':version': version, ...(onlyDead && { ':end': pulse.aliveUntil }) },
})

/** An overdraft grant becomes one within the capacity. */
export const promoteActivation = ({ tenantId, id, version }: Activation): Action => ({
  kind: 'update',
  key: activationKey(tenantId, id),
  update: 'SET overdraft = :no, version = :next',
  condition: 'version = :version',
  values: { ':no': false, ':version': version, ':next': version + 1 },
})

/** The machine is from now on activated by file: no heartbeat is waited for. */
export const takeOffline = ({ tenantId, id, version }: Activation, pulse: Pulse): Action => ({
  kind: 'update',
  key: activationKey(tenantId, id),
  update: 'SET #offline = :yes, pulse = :pulse, version = :next',
  condition: 'version = :version',
  names: { '#offline': 'offline' },
  values: { ':yes': true, ':pulse': pulse, ':version': version, ':next': version + 1 },
})

/**
 * A heartbeat: one conditional update of the row, which moves no key of an index. Answers the activation as it is then;
 * `dead` if the heartbeat came too late, undefined if there is no such activation (of the product, where one is given).
 *
 * An SDK's repetition of it is a heartbeat of the same instant; `before` then holds the life that the first one began,
 * so a machine that was just revived is told ALIVE instead of REVIVED.
 */
export async function beat(
  table: Table,
  tenantId: TenantId,
  id: ActivationId,
  productId: ProductId | undefined,
  now: Instant,
): Promise<Activation | 'dead' | undefined> {
  const at = epochMilliseconds(now)
  try {
    const { Attributes } = await sendAlone(() =>
      table.client.send(
        new UpdateCommand({
          TableName: table.name,
          Key: activationKey(tenantId, id),
          UpdateExpression:
            'SET pulse.lastAt = :now, pulse.#before = pulse.aliveUntil, pulse.aliveUntil = :at + pulse.life, pulse.revivableUntil = :at + pulse.revival',
          ConditionExpression: `attribute_exists(pk) AND pulse.revivableUntil > :at${productId === undefined ? '' : ' AND productId = :product'}`,
          ExpressionAttributeNames: { '#before': 'before' },
          ExpressionAttributeValues: {
            ':now': now,
            ':at': at,
            ...(productId !== undefined && { ':product': productId }),
          },
          ReturnValues: 'ALL_NEW',
        }),
      ),
    )
    return Attributes && activationEntity.decode(Attributes)
  } catch (error) {
    if (!isConditionFailed(error)) throw error
    const found = await readActivation(table, tenantId, id)
    const isOther = productId !== undefined && found?.productId !== productId
    if (found === undefined || isOther) return undefined
    return 'dead'
  }
}
