import type { Instant } from '../platform/time.ts'
import { type Finding, finding } from './finding.ts'
import type { Standing } from './holdings.ts'
import { begunTerm, statusByDates } from './status.ts'

/**
 * What is the matter with the license itself: its row, its status, its place beside others.
 *
 * @param fileRevision of the file that is asked about, if one is
 */
export function ownFindings(standing: Standing, now: Instant, fileRevision: number | undefined): Finding[] {
  const { license, base, lacksBase, because } = standing
  const found: Finding[] = []
  // Each is what was once signed, but the row was as new as the file: somebody has put it back (as in upload.ts).
  const isPutBack = fileRevision !== undefined && fileRevision > license.revision
  if (because === 'TAMPERED' || isPutBack) {
    found.push(
      finding(
        'TAMPERED',
        'license',
        because === 'TAMPERED'
          ? 'The stored license is not what the vendor signed.'
          : `The stored license has revision ${license.revision}, before that of the file.`,
        'Tell the vendor: the row has to be restored, or the license issued anew.',
      ),
    )
  }
  if (license.revokedAt !== undefined) {
    found.push(
      finding(
        'REVOKED',
        'license',
        license.transferredBy === undefined
          ? `Revoked on ${license.revokedAt}.`
          : `Transferred to another holder on ${license.revokedAt}.`,
        license.transferredBy === undefined
          ? 'Revocation is final; ask the vendor for another license.'
          : 'It is the other holder’s for good; ask the vendor for another license.',
      ),
    )
  } else {
    if (license.suspendedAt !== undefined) {
      found.push(
        finding(
          'SUSPENDED',
          'license',
          `Suspended since ${license.suspendedAt}.`,
          'Ask the vendor to reinstate it.',
        ),
      )
    }
    found.push(...dateFindings(standing, now))
  }
  if (license.appliedAt === undefined) {
    found.push(
      license.deletedAt === undefined
        ? finding(
            'NOT_APPLIED',
            'license',
            'Issued, but not applied by the customer.',
            'Upload the license file.',
          )
        : finding(
            'NOT_APPLIED',
            'license',
            `Deleted by the customer on ${license.deletedAt}.`,
            'Upload the license file again.',
          ),
    )
  }
  if (lacksBase) {
    found.push(
      finding(
        'BASE_NOT_IN_FORCE',
        'license',
        `It extends ${license.extends}, which ${base ? 'is not in force' : 'does not exist'} at ${now}.`,
        'Renew, apply or reinstate the license it extends.',
      ),
    )
  }
  return found
}

function dateFindings({ license, extensions }: Standing, now: Instant): Finding[] {
  const { expiresAt, graceEndsAt } = begunTerm(license, now, extensions)
  switch (statusByDates(license, now, extensions)) {
    case 'PENDING':
      return [
        finding(
          'PENDING',
          'license',
          `Starts on ${license.validFrom}.`,
          'Wait for its start, or ask the vendor for an earlier one.',
        ),
      ]
    case 'EXPIRED':
      return [
        finding(
          'EXPIRED',
          'license',
          `Expired on ${expiresAt}${graceEndsAt ? `, its grace ended on ${graceEndsAt}` : ''}.`,
          'Renew the license.',
        ),
      ]
    case 'GRACE':
      return [
        finding(
          'GRACE_PERIOD',
          'license',
          `Expired on ${expiresAt}; its grace lasts until ${graceEndsAt}.`,
          `Renew before ${graceEndsAt}.`,
        ),
      ]
    case 'ACTIVE':
      return []
  }
}
