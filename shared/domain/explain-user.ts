import type { Instant } from '../platform/time.ts'
import { curesOf, explainRefused, heldStep } from './explain-license.ts'
import { floatingWay, machineWays, openWays, siteWays, type UserFacts, type Way } from './explain-ways.ts'
import { cheapestFirst, type Explanation, type Sight } from './explanation.ts'
import type { License } from './license.ts'

/**
 * Can this person use the product, in any of the ways its licenses give: as a member of a site, with a floating license,
 * with a seat, on a machine? Each way is looked at by the rules of its own operation.
 *
 * @param seats the way of who has a seat, where the tenant's people have seats of the product
 */
export function explainUser(facts: UserFacts, sight: Sight, now: Instant, seats?: Way): Explanation {
  const { standings, own, refused } = facts
  if (own !== undefined && refused !== undefined) return explainRefused(standings, own, refused)
  const opens = (allocation: License['allocation']) =>
    own === undefined || (own.base ?? own.license).allocation === allocation
  const ways: Way[] = [
    ...(opens('site') ? siteWays(facts) : []),
    ...(opens('floating') ? facts.pools.map((one) => floatingWay(one, facts, sight, now)) : []),
    ...(opens('node-locked') ? machineWays(facts, sight, now) : []),
    ...(opens('named') ? (seats ? [seats] : openWays(facts)) : []),
  ]
  const [open, closed] = [ways.filter(({ granted }) => granted), ways.filter(({ granted }) => !granted)]
  const predictions = ways.flatMap((way) => way.predictions ?? [])
  const [code = 'it'] = standings.map(({ license }) => license.productCode)
  const said = (list: readonly Way[]) => list.map(({ what }) => what).join('; ')
  const not = closed.length > 0 ? said(closed) : 'no license lets anybody in'
  return {
    granted: open.length > 0,
    summary:
      open.length === 0 ? `No: ${not}.` : `Yes: ${said(open)}.${closed.length > 0 ? ` But: ${not}.` : ''}`,
    chain: [heldStep(standings), ...ways.flatMap(({ steps }) => steps)],
    ...(predictions.length > 0 && { predictions }),
    cures: cheapestFirst(
      ways.length > 0
        ? closed.flatMap(({ cures }) => cures)
        : curesOf(standings, `Buy a license for ${code}.`),
    ),
  }
}
