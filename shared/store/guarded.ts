/** `T#<id of a tenant>#…`: a tenant's id is its prefix and 26 characters, see shared/platform/ids.ts. */
const ofTenant = (what: string) => `T#ten_${'?'.repeat(26)}#${what}`

/**
 * Partitions that one context alone writes, as patterns of IAM (`*` any text, `?` one character). Whoever got into the
 * function of another context could otherwise make credentials, lead a key to another license, or write history anew.
 */
export const GUARDED = {
  /** Who may come in. Everybody notes when a token was used last, and nothing else of it. */
  tokens: ['TOKEN#*'],
  /** Which license a key, an id or a reference leads to. */
  addresses: ['KEY#*', 'LICENSE#*', 'REFERENCE#*'],
  /** The audit logs and their checkpoints. */
  logs: [ofTenant('AUDIT'), 'VENDOR#AUDIT', 'CHECKPOINTS#*'],
  /** What was recorded of licenses, which scans hold their rows against. */
  recorded: [ofTenant('RECORDED')],
} as const satisfies Readonly<Record<string, readonly string[]>>

export type Guarded = keyof typeof GUARDED

export const guardedNames: readonly Guarded[] = Object.keys(GUARDED).filter(isGuarded)

function isGuarded(name: string): name is Guarded {
  return name in GUARDED
}
