import type { Guarded } from '../shared/store/guarded.ts'
import type { IndexName } from '../shared/store/table.ts'
import type { ContextName } from './routes.ts'

/**
 * What each context's function needs of the cloud, as data: a construct turns a need into the variable and the grant
 * at once. Everything else is denied.
 */
export type Needs = {
  /** `read`: items of the table. `write`: also to put and update them. `remove`: also to take them away. */
  readonly table: 'read' | 'write' | 'remove'
  /** The indexes that it queries. */
  readonly indexes?: readonly IndexName[]
  /** The guarded partitions that it writes, of which each has one writer; the log has two, who write it in turn. */
  readonly guarded?: readonly Guarded[]
  /**
   * Fed by the table's stream: to read that. `only`: and not by the API, so nothing of callers' credentials. At most two
   * functions may read a stream (DynamoDB developer guide).
   */
  readonly stream?: 'only' | 'also'
  /** `verify`: the public halves of the license signing keys. `sign`: also to sign with them. */
  readonly signing?: 'verify' | 'sign'
  /** To make and show license keys. */
  readonly licenseKeys?: true
  /** The keys of offline activations. `verify`: their public halves. `sign`: also to sign response files with them. */
  readonly activationKeys?: 'verify' | 'sign'
  /** To sign verdicts, or publish the keys that verify them. */
  readonly sessionKeys?: true
  /** To send webhooks. */
  readonly webhooks?: true
  /** To send mail, and to write links to this service into it. */
  readonly mail?: true
  /** The key of the audit logs. `verify`: its public half. `sign`: also to sign checkpoints with it. */
  readonly auditKeys?: 'verify' | 'sign'
  /** To find the country of a network address. */
  readonly places?: true
}

export const needs = {
  access: { table: 'write', indexes: ['kind', 'owned'], guarded: ['tokens'] },
  catalog: { table: 'write', indexes: ['kind', 'owned'] },
  tenants: { table: 'remove', indexes: ['kind'], signing: 'verify' },
  licenses: {
    table: 'remove',
    indexes: ['kind', 'owned'],
    guarded: ['addresses'],
    signing: 'sign',
    licenseKeys: true,
  },
  installs: { table: 'remove', indexes: ['kind'], signing: 'verify', licenseKeys: true },
  validation: { table: 'write', signing: 'verify', sessionKeys: true, places: true },
  releases: { table: 'write' },
  features: { table: 'write', indexes: ['kind'], signing: 'verify', places: true },
  leases: { table: 'remove', signing: 'verify', sessionKeys: true, places: true },
  activations: { table: 'remove', signing: 'verify', activationKeys: 'sign', places: true },
  pools: { table: 'write', signing: 'verify' },
  usage: { table: 'write', indexes: ['owned'], signing: 'verify' },
  people: { table: 'remove', indexes: ['kind', 'owned'], signing: 'verify' },
  seats: { table: 'remove', indexes: ['kind', 'owned'], signing: 'verify' },
  scim: { table: 'remove', indexes: ['kind', 'owned'], signing: 'verify' },
  trust: {
    table: 'remove',
    indexes: ['kind', 'owned'],
    signing: 'verify',
    activationKeys: 'verify',
    sessionKeys: true,
    auditKeys: 'verify',
  },
  webhooks: { table: 'remove', indexes: ['kind', 'owned'], stream: 'also', webhooks: true },
  notifications: { table: 'remove', indexes: ['kind', 'owned'], signing: 'verify', mail: true },
  audit: { table: 'remove', indexes: ['kind'], guarded: ['logs'], auditKeys: 'sign' },
  records: { table: 'remove', guarded: ['logs', 'recorded'], stream: 'only' },
  service: { table: 'read' },
} as const satisfies Record<ContextName, Needs>
