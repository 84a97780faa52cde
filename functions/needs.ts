import type { ContextName } from './routes.ts'

/**
 * What each context's function needs of the cloud, as data: a construct turns a need into the variable and the grant
 * at once. Everything else is denied.
 */
export type Needs = {
  readonly table: 'read' | 'write'
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
  access: { table: 'write', signing: 'verify' },
  catalog: { table: 'write', signing: 'verify' },
  tenants: { table: 'write', signing: 'verify' },
  licenses: { table: 'write', signing: 'sign', licenseKeys: true },
  installs: { table: 'write', signing: 'verify' },
  validation: { table: 'write', signing: 'verify', sessionKeys: true, places: true },
  releases: { table: 'write' },
  features: { table: 'write', signing: 'verify', places: true },
  leases: { table: 'write', signing: 'verify', sessionKeys: true, places: true },
  activations: { table: 'write', signing: 'verify', activationKeys: 'sign', places: true },
  pools: { table: 'write', signing: 'verify' },
  usage: { table: 'write', signing: 'verify' },
  people: { table: 'write', signing: 'verify' },
  seats: { table: 'write', signing: 'verify' },
  scim: { table: 'write', signing: 'verify' },
  trust: {
    table: 'write',
    signing: 'verify',
    activationKeys: 'verify',
    sessionKeys: true,
    auditKeys: 'verify',
  },
  webhooks: { table: 'write', stream: 'also', webhooks: true },
  notifications: { table: 'write', signing: 'verify', mail: true },
  audit: { table: 'write', auditKeys: 'sign' },
  records: { table: 'write', stream: 'only' },
  service: { table: 'read' },
} as const satisfies Record<ContextName, Needs>
