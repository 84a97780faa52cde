import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as keys from '../../shared/store/keys.ts'
import { TABLE } from '../../shared/store/table.ts'
import { IDS, INSTANTS } from './sample-ids.ts'

const README = readFileSync(join(import.meta.dirname, '../../shared/store/README.md'), 'utf8')

const { tenants, products, plans, licenses, tokens, events, activations } = IDS
const { organizations, users, transfers, bulks, findings, webhooks, groups } = IDS
const [[tenant], [product], [plan], [license]] = [tenants, products, plans, licenses]
const [[token], [event], [activation], [transfer]] = [tokens, events, activations, transfers]
const [[bulk], [finding], [webhook], [group]] = [bulks, findings, webhooks, groups]
const [[organization], [user], [instant]] = [organizations, users, INSTANTS]
const line = ({ pk, sk }: keys.Key) => ({ pk, sk: sk.replace('QUEUE', '<line>') })

/** The key of every kind of row, with names for its parts. Instants stand under several names. */
const ROWS: readonly [key: keys.Key, instantAs?: string][] = [
  [keys.productKey(product)],
  [keys.productCodeKey('<code>')],
  [keys.releaseKey(product, '<version>')],
  [keys.planKey(plan)],
  [keys.tenantKey(tenant)],
  [keys.tenantFenceKey(tenant)],
  [keys.customerKey('<customer>')],
  [keys.licenseKey(tenant, product, license)],
  [keys.usageKey(tenant, product, '<metric>')],
  [keys.usageKey(tenant, product, '<metric>', instant), 'from'],
  [keys.licenseAddressKey(license)],
  [keys.keyAddressKey('<hash>')],
  [keys.referenceKey('<reference>')],
  [keys.poolKey(tenant, product, '<metric>')],
  [keys.pageKey(tenant, product, '<metric>', 7)],
  [keys.ticketKey(tenant, product, '<metric>', '<order>', '<ref>')],
  [keys.heldTicketKey(tenant, product, '<metric>', '<ref>')],
  [keys.leaseDenialKey(tenant, product, '<metric>', '<minute>', '<who>')],
  [keys.leaseDetailKey(tenant, product, '<metric>', '<ref>')],
  [keys.leaseUseKey(tenant, product, '<metric>', instant, '<ref>'), 'from'],
  [keys.poolSharesKey(tenant, product, '<metric>')],
  [keys.borrowingKey(tenant, product, '<metric>', '<jti>')],
  [keys.activationKey(tenant, activation)],
  [keys.fingerprintKey(tenant, product, '<scope>', '<hash>')],
  [keys.visitsKey(tenant, license, { type: 'license', id: '<visitor>' })],
  [keys.usageRecordKey(tenant, '<record>')],
  [keys.usageBlockKey(tenant, product, '<metric>', 7, instant), 'from'],
  [keys.usageDayKey(tenant, product, '<metric>', 7, instant), 'day'],
  [keys.usageCorrectionKey(tenant, product, '<correction>')],
  [keys.eventKey(tenant, event)],
  [keys.eventKey(undefined, event)],
  [keys.auditHeadKey(tenant)],
  [keys.auditLeafKey(tenant, 7)],
  [keys.auditPlaceKey(tenant, event)],
  [keys.auditTileKey(tenant, 9, 7)],
  [keys.auditSignedKey(tenant)],
  [keys.auditCheckpointKey(tenant, 8)],
  [keys.auditUnanchoredKey('vendor', 8)],
  [keys.auditCheckKey('vendor')],
  [keys.tokenKey(token)],
  [keys.transferKey(transfer)],
  [keys.openTransferKey(license)],
  [keys.tenantTransferKey(tenant, transfer)],
  [keys.organizationKey(tenant, organization)],
  [keys.organizationTreeKey(tenant)],
  [keys.userKey(tenant, user)],
  [keys.seatKey(tenant, user, product, '<metric>')],
  [keys.userRoleKey(tenant, user, '<role>')],
  [keys.userEmailKey(tenant, '<email>')],
  [keys.userNameKey(tenant, '<user-name>')],
  [keys.groupKey(tenant, group)],
  [keys.groupNameKey(tenant, 'NAME', '<name>')],
  [keys.groupNameKey(tenant, 'EXTERNAL', '<external-id>')],
  [keys.groupMemberKey(tenant, group, user)],
  [keys.externalIdKey(tenant, '<external-id>')],
  [line(keys.pendingSeatKey(tenant, product, '<metric>', 'QUEUE', instant, user)), 'since'],
  [keys.bulkKey(tenant, bulk)],
  [keys.bulkChunkKey(tenant, bulk, 7)],
  [keys.bulkRowKey(tenant, bulk, user)],
  [keys.managedSeatsKey(tenant, product, '<metric>')],
  [keys.judgedPoolKey(tenant, product, '<metric>')],
  [keys.reservationKey(tenant, product, '<metric>', organization)],
  [keys.seatPolicyKey(tenant)],
  [keys.seatRequestKey(tenant, user, product, '<module>')],
  [keys.reclaimCaseKey(tenant, user, product)],
  [keys.reclaimRulesKey(tenant)],
  [keys.reclaimedKey(tenant, '<month>', product, '<metric>')],
  [keys.noticeKey(tenant, '<notice>')],
  [keys.noticeSettingsKey(tenant)],
  [keys.mailAddressKey(tenant, '<email>')],
  [keys.outboxKey(tenant, '<box>', instant, '<notice>'), 'since'],
  [keys.sendingKey(tenant, '<box>')],
  [keys.webhookKey(tenant, webhook)],
  [keys.webhookHealthKey(tenant, webhook)],
  [keys.webhookCountKey(tenant)],
  [keys.deliveryKey(tenant, webhook, event)],
  [keys.attemptKey(tenant, webhook, event, 3)],
  [keys.timerKey('<kind>', ['<subject>'])],
  [keys.validationKey(tenant)],
  [keys.capacityLevelsKey(tenant)],
  [keys.integrityKey(tenant)],
  [keys.integrityEventKey(tenant, finding)],
  [keys.recordedRowKey(tenant, '<type>', '<id>')],
  [keys.licenseRecordKey(tenant, license)],
  [keys.seatCountKey(tenant, product, '<metric>', organization)],
  [keys.peopleCountKey(tenant, organization)],
  [keys.replyKey('<subject>', '<idempotency-key>')],
  [keys.countKey('<subject>', '<window>')],
  [keys.runKey('<job>', instant), 'scheduled-at'],
  [keys.lastSuccessKey('<job>')],
]
const NAMES = {
  finding,
  tenant,
  product,
  plan,
  license,
  token,
  event,
  activation,
  transfer,
  organization,
  group,
  user,
  bulk,
  webhook,
}

function written([{ pk, sk }, instantAs]: (typeof ROWS)[number]): string {
  const text = decodeURIComponent(`\`${pk}\` / \`${sk}\``)
    .replaceAll(instant, `<${instantAs}>`)
    .replace('#7`', '#<shard>`')
    .replace('CHUNK#000007', 'CHUNK#<chunk>')
    .replace('/ `007`', '/ `<page>`')
    .replace('#0003`', '#<number>`')
    .replace('TILE#09', 'TILE#<level>')
    .replace(/0{15}7/, '<index>')
    .replace('vendor#0000000000000008', '<log>#<size>')
    .replace('LOG-CHECKS#vendor', 'LOG-CHECKS#<log>')
    .replace(/0{15}8/, '<size>')
  return Object.entries(NAMES).reduce((rest, [name, value]) => rest.replaceAll(value, `<${name}>`), text)
}

test('the README lists the key of every kind of row, and no other', () => {
  const listed = README.split('\n').map((line) => /\| +(`[^`]+` \/ `[^`]+`) +\|/.exec(line)?.[1])
  expect(listed.filter((key) => key !== undefined).toSorted()).toEqual(ROWS.map(written).toSorted())
})

test('every key of keys.ts is among them', () => {
  const source = readFileSync(import.meta.filename, 'utf8')
  // A queue is a partition; `poolsKey` and the like end otherwise.
  const makers = Object.keys(keys).filter((name) => /[^s]Key$/.test(name) && name !== 'queueKey')
  expect(makers.filter((name) => !source.includes(`keys.${name}(`))).toEqual([])
})

test('the README names the indexes and every list in them', () => {
  for (const { name } of TABLE.indexes) expect(README).toMatch(new RegExp(`[*_]${name}[*_]`))
  for (const list of Object.values(keys.KIND)) expect(README).toContain(`kind \`${list}\``)
  for (const list of [keys.ownedByTenant(tenant, 'LICENSES'), keys.ownedByTenant(tenant, 'TOKENS')])
    expect(README).toContain(`owned \`${list.replace(tenant, '<tenant>')}\``)
  expect(README).toContain(`owned \`${keys.ownedByProduct(product, 'PLANS').replace(product, '<product>')}\``)
})
