import { type ContextName, contexts } from '../functions/routes.ts'

/**
 * What differs between the functions of the contexts. Memory is processor time: 1,769 MB is one full vCPU. On a
 * part of one the SDK's own work is what a caller waits for (4.8 ms a call at 512 MB, 0.9 ms on a full vCPU), so what
 * applications wait for, validations and check-outs, has a full one; elsewhere 1,024 MB keeps a call below what a person
 * notices at 58 % of the price.
 */
type ContextSettings = {
  readonly memoryMb: 1024 | 1769
  /** One sentence: what users lose while the function fails. It is the text of its alarms. */
  readonly errorImpact: string
}

export const contextSettings = {
  access: {
    memoryMb: 1024,
    errorImpact: 'Nobody can make, rotate, list or revoke tokens; a leaked token cannot be withdrawn.',
  },
  catalog: {
    memoryMb: 1024,
    errorImpact: 'Vendor staff cannot read or change products and plans.',
  },
  tenants: {
    memoryMb: 1024,
    errorImpact: 'Tenants do not see where they stand, and vendor staff cannot add or change tenants.',
  },
  licenses: {
    memoryMb: 1024,
    errorImpact:
      'Vendor staff cannot issue, import, renew, suspend or revoke licenses, and approved transfers are not carried out; those who bought one wait for it.',
  },
  installs: {
    memoryMb: 1024,
    errorImpact:
      'Tenants cannot apply, remove or refresh license files, see those they have, or give them to each other.',
  },
  validation: {
    memoryMb: 1769,
    errorImpact:
      'Applications cannot validate their license; those without a recent verdict or a file may stop working.',
  },
  releases: {
    memoryMb: 1024,
    errorImpact: 'Releases cannot be published, and nobody is told which upgrades a license covers.',
  },
  features: {
    memoryMb: 1024,
    errorImpact: 'Applications cannot ask which features are licensed and fall back to their own defaults.',
  },
  leases: {
    memoryMb: 1769,
    errorImpact:
      'Applications cannot check floating licenses out; those running lose theirs when the lease ends, within minutes.',
  },
  pools: {
    memoryMb: 1024,
    errorImpact:
      'Tenants do not see how their floating pools are used and what was denied, and cannot give departments shares.',
  },
  activations: {
    memoryMb: 1024,
    errorImpact:
      'Machines cannot be activated, moved or deactivated, and those that send heartbeats may lose their place.',
  },
  usage: {
    memoryMb: 1024,
    errorImpact:
      'Reported usage is not recorded, so tenants see old figures and counted limits do not count.',
  },
  people: {
    memoryMb: 1024,
    errorImpact:
      'People cannot be added, changed or archived: joiners get no seats, and leavers keep theirs.',
  },
  seats: {
    memoryMb: 1024,
    errorImpact: 'Tenants do not see their seats, and cannot assign, revoke or reserve any.',
  },
  scim: {
    memoryMb: 1024,
    errorImpact:
      'Directories cannot push people and groups: joiners get no seats and leavers keep theirs until it is repeated.',
  },
  trust: {
    memoryMb: 1024,
    errorImpact:
      'The public keys are not served, so files and verdicts cannot be verified except with a pinned or cached copy.',
  },
  notifications: {
    memoryMb: 1024,
    errorImpact:
      'Nobody is told by mail that licenses end or change; links in mails and calendar feeds do not work.',
  },
  webhooks: {
    memoryMb: 1024,
    errorImpact:
      'Nobody is told of events by webhook until it works again, and endpoints cannot be added or changed.',
  },
  audit: {
    memoryMb: 1024,
    errorImpact:
      'Nobody can read or verify audit logs, and no checkpoints are signed, so what happened meanwhile cannot be proven yet.',
  },
  records: {
    memoryMb: 1024,
    errorImpact:
      'Nobody is told by mail or webhook of what happens, audit logs do not grow, and nobody sees who holds a floating license.',
  },
  service: {
    memoryMb: 1024,
    errorImpact: 'The health check and the OpenAPI document are not served, so monitors report an outage.',
  },
} as const satisfies Readonly<Record<ContextName, ContextSettings>>

export const contextNames: readonly ContextName[] = Object.keys(contexts).filter(isContextName)

function isContextName(name: string): name is ContextName {
  return name in contexts
}
