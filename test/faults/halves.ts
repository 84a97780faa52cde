import type { ContextName } from '../../functions/routes.ts'

/** The operations are run in two processes: these contexts in one, all others in the other. */
export const ABOUT_PEOPLE: ReadonlySet<ContextName> = new Set(['people', 'seats', 'scim', 'tenants'])
