import { type Operation, operations } from '../../functions/routes.ts'
import type { Role } from '../../shared/domain/access.ts'
import type { Tenancy } from '../world/tenancy.ts'

/** Operations that take from the world what others need, each with what would be gone: they are asked last. */
export const LAST: Readonly<Record<string, string>> = {
  archiveTenant: 'Nothing of an archived tenant can be changed any more.',
  archiveProduct: 'Nothing of it can be sold any more.',
  archivePlan: 'No license can be issued of it any more.',
  revokeToken: 'The ids of tokens are seen in lists: it may be the one that asks.',
  rotateToken: 'The same.',
  revokeLicense: 'It gives nothing for good.',
  suspendLicense: 'It gives nothing until it is reinstated.',
  rotateLicenseKey: 'The key that asks is good for nothing then.',
  deleteInstall: 'The license does not count any more.',
  approveTransfer: 'The license moves to another tenant.',
  archiveOrganization: 'Nobody can be put into it any more.',
  archiveUser: 'The person has no seats any more.',
  orderBulk: 'It may archive everybody.',
  deactivateMachine: 'The machine is gone.',
  deleteScimUser: 'The person is gone.',
  deleteScimGroup: 'The group is gone.',
  bulkScim: 'It may delete everybody.',
  deleteWebhook: 'The endpoint is gone.',
  deleteVendorWebhook: 'The endpoint is gone.',
}

/** Some operations, asked by somebody. */
export type Asking = {
  readonly name: string
  readonly authorization: string
  readonly operations: readonly Operation[]
  /** Those of them that are asked with the bounds of each field by somebody else. */
  readonly covered: readonly string[]
}

/** Every operation by each kind of credential that it lets in, in an order in which each finds what it needs. */
export function askings(
  vendor: string,
  { key, otherKeys, tokens }: Tenancy,
  wanted: readonly string[] | undefined,
): Asking[] {
  const bearer = (role: Role) => `Bearer ${tokens.get(role)}`
  const callers: [name: string, who: Role | 'license', authorization: string, takes?: RegExp][] = [
    ['floating license', 'license', `License ${otherKeys.floating}`, /^leases$/],
    ['node-locked license', 'license', `License ${otherKeys.nodeLocked}`, /^activations$/],
    ['named license', 'license', `License ${key}`, /^(?!(leases|activations)$)/],
    ['tenant:scim', 'tenant:scim', bearer('tenant:scim')],
    ['tenant:admin', 'tenant:admin', bearer('tenant:admin')],
    ['vendor:admin', 'vendor:admin', `Bearer ${vendor}`],
  ]
  const asked = (isLast: boolean) =>
    callers.map(([name, who, authorization, takes]) => ({
      name: isLast ? `${name}, what ends something` : name,
      authorization,
      operations: operations.filter(
        ({ operationId, access, context }) =>
          (wanted?.includes(operationId) ?? true) &&
          operationId in LAST === isLast &&
          (takes?.test(context) ?? true) &&
          // What is public is asked once.
          (access === 'public' ? who === 'vendor:admin' : access.includes(who)),
      ),
    }))
  const all = [...asked(false), ...asked(true)].filter((one) => one.operations.length > 0)
  return all.map((one, index) => ({
    ...one,
    covered: one.operations
      .filter((operation) => all.slice(index + 1).some((later) => later.operations.includes(operation)))
      .map(({ operationId }) => operationId),
  }))
}
