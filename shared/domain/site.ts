import type { Rules } from './terms.ts'

type Site = NonNullable<Rules['site']>
type Person = { email?: string | undefined; organization?: string | undefined }

/**
 * Is somebody inside the boundary of a site license? Inside is who belongs to one of its organizations or has an
 * address in one of its domains (a domain covers those below it). Nothing is counted: inside, use is unlimited.
 * Countries are a rule of their own. `unknown`: nothing was said that the boundary asks about.
 */
export function outsideSite(site: Site, { email, organization }: Person): 'outside' | 'unknown' | undefined {
  const domains = site.domains ?? []
  const organizations = site.organizations ?? []
  const domain = email?.slice(email.lastIndexOf('@') + 1).toLowerCase()
  if (domain !== undefined && domains.some((one) => domain === one || domain.endsWith(`.${one}`)))
    return undefined
  if (organization !== undefined && organizations.includes(organization)) return undefined
  const isTold =
    (domain !== undefined && domains.length > 0) || (organization !== undefined && organizations.length > 0)
  return isTold ? 'outside' : 'unknown'
}
