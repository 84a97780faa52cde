/**
 * The one table, as data: CDK creates it from this, and so do the tests. What lies under which key is in keys.ts and
 * README.md.
 */
export const TABLE = {
  partitionKey: 'pk',
  sortKey: 'sk',
  ttl: 'ttl',
  indexes: [
    /** What belongs to an owner: a tenant's licenses, a product's plans, a tenant's tokens. */
    { name: 'owned', partitionKey: 'ownedPk', sortKey: 'ownedSk' },
    /** All of a kind: products, tenants, licenses by expiry, tokens. */
    { name: 'kind', partitionKey: 'kindPk', sortKey: 'kindSk' },
  ],
} as const

export type IndexName = (typeof TABLE)['indexes'][number]['name']
