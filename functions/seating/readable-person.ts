import type { TenantId, UserId } from '../../shared/platform/ids.ts'
import { CorruptItemError } from '../../shared/store/codec.ts'
import { type Person, readPerson } from '../../shared/store/user.ts'
import type { CommitRequest } from '../services.ts'
import type { VerifyingServices } from '../verified.ts'

/** A person; undefined also where its rows cannot be read: that is logged, and keeps nobody else waiting. */
export async function readablePerson(
  { table, log }: Pick<VerifyingServices, 'table' | 'log'>,
  tenantId: TenantId,
  id: UserId,
  { requestId }: Pick<CommitRequest, 'requestId'>,
): Promise<Person | undefined> {
  try {
    return await readPerson(table, tenantId, id)
  } catch (error) {
    if (!(error instanceof CorruptItemError)) throw error
    log('error', 'person', { requestId, tenantId, subject: id }, error)
    return undefined
  }
}
