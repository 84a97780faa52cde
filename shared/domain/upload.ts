import type { TenantId } from '../platform/ids.ts'
import type { Instant } from '../platform/time.ts'
import type { Standing } from './holdings.ts'
import type { FileFault, LicenseClaims } from './license-file.ts'
import { type Refusal, refuse } from './refusal.ts'
import { begunTerm } from './status.ts'

/** Where the license stands that an uploaded file applies, or why it applies none. Checks in a fixed order, first fault wins. */
export function checkUpload(
  opened: { claims: LicenseClaims } | { fault: FileFault },
  standing: Standing | undefined,
  tenantId: TenantId,
  now: Instant,
): Standing | Refusal {
  if ('fault' in opened) return refusedFault(opened.fault)
  const { license: facts } = opened.claims
  if (facts.tenantId !== tenantId)
    return refuse('FILE_WRONG_TENANT', `The file was issued to ${facts.customer.name}.`)
  if (standing === undefined)
    return refuse('FILE_UNKNOWN_PRODUCT', `There is no license ${facts.id} for ${facts.productCode} here.`)
  const { license } = standing
  if (facts.revision < license.revision) {
    return refuse(
      'FILE_OUTDATED',
      `The file has revision ${facts.revision}, the license ${license.revision}.`,
    )
  }
  if (standing.because === 'TAMPERED') {
    return refuse('LICENSE_TAMPERED', `The row of ${license.id} does not match its signature.`)
  }
  // Each is what was once signed, but the row was later: somebody has put it back.
  if (facts.revision > license.revision) {
    return refuse(
      'LICENSE_TAMPERED',
      `The row of ${license.id} has revision ${license.revision}, before that of the file.`,
    )
  }
  if (standing.status === 'REVOKED' || standing.status === 'SUSPENDED') {
    return refuse('FILE_NOT_USABLE', `The license is ${standing.status}.`)
  }
  if (standing.status === 'EXPIRED') {
    const { expiresAt } = begunTerm(license, now, standing.extensions)
    return refuse('FILE_EXPIRED', `The license expired on ${expiresAt}; it is ${now} now.`)
  }
  return standing
}

function refusedFault(fault: FileFault): Refusal {
  switch (fault) {
    case 'malformed':
      return refuse('FILE_MALFORMED', 'This is not a license file of this service.')
    case 'forged':
      return refuse('FILE_FORGED', 'The file does not match its signature: something in it was changed.')
    case 'foreign':
      return refuse('FILE_FOREIGN', 'The file was signed with a key, or for an issuer, that is not ours.')
  }
}
