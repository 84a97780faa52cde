import { type LogName, type NoteKey, originOf } from '../../shared/domain/checkpoint.ts'
import type { AuditSigner } from '../../shared/platform/signing/audit-signer.ts'
import type { Services } from '../services.ts'

export type AuditServices = Services & {
  /** Ed25519, 32 bytes. */
  readonly auditKey: Uint8Array
  readonly signNote: AuditSigner
}

/** What signing checkpoints takes of them. */
export type PublishServices = Pick<AuditServices, 'table' | 'log' | 'issuer' | 'auditKey' | 'signNote'>

/** The key of a log: the one key of all, under the log's own name. */
export const noteKeyOf = (
  log: LogName,
  { issuer, auditKey }: Pick<AuditServices, 'issuer' | 'auditKey'>,
): NoteKey => ({
  name: originOf(issuer, log),
  publicKey: auditKey,
})
