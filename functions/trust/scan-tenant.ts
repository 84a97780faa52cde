import {
  difference,
  type Found,
  type IntegrityEvent,
  type IntegrityScan,
  type LicenseRecord,
} from '../../shared/domain/integrity.ts'
import type { License } from '../../shared/domain/license.ts'
import type { LicenseId, TenantId } from '../../shared/platform/ids.ts'
import { OF_VERDICTS } from '../../shared/platform/signing/probe-keys.ts'
import { readClock } from '../../shared/platform/time.ts'
import { licenseAddressEntity } from '../../shared/store/address.ts'
import { CorruptItemError, type Item, readable } from '../../shared/store/codec.ts'
import { readLicense } from '../../shared/store/holdings.ts'
import { noteScan } from '../../shared/store/integrity.ts'
import { type Key, keyAddressKey, licenseAddressKey, referenceKey } from '../../shared/store/keys.ts'
import { readLicenseRecords } from '../../shared/store/license-record.ts'
import { readReadableHoldings } from '../../shared/store/license-rows.ts'
import { readItem, readItems } from '../../shared/store/read.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import type { Table } from '../../shared/store/transact.ts'
import { writeRow } from '../../shared/store/write.ts'
import type { CommitRequest } from '../services.ts'
import { tellCorrupt } from '../tell-corrupt.ts'
import { compareLicenses, eventIn, suspicions } from './compare-license.ts'
import { eventRows } from './event-rows.ts'
import type { TrustServices } from './handlers.ts'
import { noteFound } from './note-found.ts'
import { scanRows } from './scan-rows.ts'
import { unreadableFound } from './validate-tenant.ts'

type Services = Pick<TrustServices, 'table' | 'verifier' | 'log' | 'publicKeys' | 'probeKeys' | 'checkLog'>

/** Milliseconds for noting what was found, which the check of the log leaves. */
const LEFT_AFTER_LOG = 8_000

/**
 * Holds all that a tenant has of licenses against what was signed and recorded: each row against its signature and its
 * last event, its addresses, the keys it names, and the audit log. What is suspicious is looked at again, beside the log
 * itself, before it is told: a change that is under way is none. What there is no time for of the log the next scan does.
 *
 * @param isWhole the whole log is to be read, and not only what came since it was last found to be right
 * @returns undefined where there is no such tenant
 */
export async function scanTenant(
  tenantId: TenantId,
  request: Pick<CommitRequest, 'caller' | 'now' | 'requestId'>,
  services: Services,
  { isWhole = false, remaining }: { readonly isWhole?: boolean; readonly remaining: () => number },
): Promise<IntegrityScan | undefined> {
  const { table } = services
  const { requestId } = request
  const tell = tellCorrupt(services.log, requestId, tenantId)
  const tenant = await readTenant(table, tenantId)
  if (tenant === undefined) return undefined
  // In this order: what is recorded of a license lies there after the license does.
  const records = await readLicenseRecords(table, tenantId, tell)
  const held = await readReadableHoldings(table, tenantId)
  const licenses = held.flatMap(({ holdings }) => holdings.licenses)
  const unreadable = held.flatMap((one) => one.unreadable)
  const skipped: string[] = []
  const found: Found[] = unreadable.map(unreadableFound)

  const events = await eventRows(table, tenantId, [...records.values()])
  const suspects = licenses.filter((license) => {
    const record = records.get(license.id)
    const row = record && events.get(record.eventId)
    const view = row && eventIn(row)?.after
    return suspicions(license, record, view, services).length > 0
  })
  found.push(...(await compareLicenses(suspects, records, services)))
  const there = new Set<string>([...licenses.map(({ id }) => id), ...unreadable.map(({ id }) => id)])
  for (const record of records.values())
    if (!there.has(record.licenseId)) found.push(...(await missingLicense(tenantId, record, table)))
  const addresses = await checkAddresses(licenses, table)
  found.push(...addresses.found)
  const keys = await checkKeys(licenses, services, skipped)
  found.push(...keys.found)
  const rows = await scanRows(table, tenantId, request.now, tell)
  found.push(...rows.found)
  const hasTime = () => remaining() > LEFT_AFTER_LOG
  const log = await services.checkLog(tenantId, requestId, isWhole, hasTime)
  if (log?.progress.isOver !== true) skipped.push('log')
  found.push(...(log?.found ?? []))

  const isLookedAt = ({ check, subject }: IntegrityEvent) =>
    !(check === 'log-broken' && skipped.includes('log')) &&
    !(check === 'key-unknown' && skipped.includes(`key ${OF_VERDICTS}`)) &&
    !skipped.includes(`key ${subject.id}`)
  const noted = await noteFound(tenantId, found, isLookedAt, request, services)
  const scan: IntegrityScan = {
    startedAt: request.now,
    finishedAt: readClock(),
    checked: {
      licenses: licenses.length + unreadable.filter(({ kind }) => kind === 'license').length,
      rows: rows.checked,
      addresses: addresses.checked,
      keys: keys.checked,
      logged: log?.progress.leaves ?? 0,
    },
    ...noted,
    skipped,
    ...(log && { log: log.progress }),
  }
  await writeRow(table, noteScan(tenantId, scan))
  return scan
}

async function missingLicense(
  tenantId: TenantId,
  { licenseId, productId, eventId }: LicenseRecord,
  table: Table,
): Promise<Found[]> {
  const row = await readLicense(table, { tenantId, productId, licenseId }).catch((error: unknown) => {
    if (error instanceof CorruptItemError) return 'unreadable'
    throw error
  })
  if (row !== undefined) return []
  return [
    {
      check: 'license-missing',
      subject: { type: 'license', id: licenseId },
      differs: [difference('row', undefined, `as recorded by ${eventId}`)],
    },
  ]
}

type Leading = { readonly name: string; readonly key: Key }

/** By what a license is found. A reference follows a license that was transferred to its successor. */
const waysTo = ({ id, keyHash, reference, transferredBy }: License): Leading[] => [
  { name: 'id', key: licenseAddressKey(id) },
  { name: 'key', key: keyAddressKey(keyHash) },
  ...(reference !== undefined && transferredBy === undefined
    ? [{ name: 'reference', key: referenceKey(reference) }]
    : []),
]

async function checkAddresses(licenses: readonly License[], table: Table) {
  const nameOf = ({ pk, sk }: Key) => `${pk} ${sk}`
  const wanted = licenses.flatMap((license) => waysTo(license).map((way) => ({ license, way })))
  const unique = new Map(wanted.map(({ way }) => [nameOf(way.key), way.key]))
  const items = await readItems(table, [...unique.values()])
  const byKey = new Map(items.map((item) => [`${item['pk']} ${item['sk']}`, item]))
  const found: Found[] = []
  for (const { license, way } of wanted) {
    const wrong = wrongAddress(license, way, byKey.get(nameOf(way.key)))
    // Its key may have been rotated since it was read.
    if (wrong !== undefined && (await isUnchanged(license, table))) {
      const again = wrongAddress(license, way, await readItem(table, way.key))
      if (again !== undefined) found.push(again)
    }
  }
  return { checked: wanted.length, found }
}

function wrongAddress(license: License, { name }: Leading, item: Item | undefined): Found | undefined {
  const subject = { type: 'license', id: license.id }
  if (item === undefined)
    return { check: 'address-missing', subject, differs: [difference(name, undefined, license.id)] }
  const address: Readonly<Record<string, unknown>> = readable(() => licenseAddressEntity.decode(item)) ?? {}
  const expected = { tenantId: license.tenantId, productId: license.productId, licenseId: license.id }
  const differs = Object.entries(expected)
    .filter(([field, value]) => address[field] !== value)
    .map(([field, value]) => difference(`${name}.${field}`, address[field], value))
  return differs.length === 0 ? undefined : { check: 'address-wrong', subject, differs }
}

async function isUnchanged({ tenantId, productId, id, version }: License, table: Table): Promise<boolean> {
  return (await readLicense(table, { tenantId, productId, licenseId: id }))?.version === version
}

/**
 * The keys that a tenant's licenses name: published, and the very ones that KMS has; so are those that sign its offline
 * activations and verdicts.
 */
async function checkKeys(
  licenses: readonly License[],
  { publicKeys, probeKeys }: Services,
  skipped: string[],
) {
  const published = new Set(publicKeys.map(({ kid }) => kid))
  const users = Map.groupBy(licenses, ({ signature }) => signature.kid)
  const found: Found[] = []
  const firstOf = (all: readonly License[]): LicenseId | undefined => all.map(({ id }) => id).toSorted()[0]
  for (const [kid, all] of users) {
    if (published.has(kid)) continue
    found.push({
      check: 'key-unpublished',
      subject: { type: 'key', id: kid },
      differs: [difference('license', firstOf(all), undefined)],
    })
  }
  const probes = (await probeKeys()).filter(({ signs, kid }) => signs !== 'licenses' || users.has(kid))
  for (const { kid, known } of probes) {
    if (known === 'unanswered') skipped.push(`key ${kid}`)
    else if (known !== kid)
      found.push({
        check: 'key-unknown',
        subject: { type: 'key', id: kid },
        differs: [difference('kid', known, kid)],
      })
  }
  return { checked: new Set([...users.keys(), ...probes.map(({ kid }) => kid)]).size, found }
}
