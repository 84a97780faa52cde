import { curesOf, heldStep, standingStep } from './explain-license.ts'
import { checkOutOf, nameOf, outcomeOf, type PoolSituation, poolCures, poolSteps } from './explain-pool.ts'
import {
  type Cure,
  cheapestFirst,
  type Explanation,
  free,
  type Sight,
  type Step,
  step,
} from './explanation.ts'
import type { Standing } from './holdings.ts'
import type { Entry, Seconds } from './lease-entry.ts'
import { claim } from './lease-request.ts'
import { isLapsed } from './pool.ts'
import { instantOf, isFloating } from './pool-terms.ts'
import { COUNTED, served, standingOf } from './queue.ts'
import type { Refusal } from './refusal.ts'
import { isDead, type Ticket } from './ticket.ts'

type TicketFacts = {
  readonly ref: string
  readonly standings: readonly Standing[]
  readonly situation: PoolSituation
  /** While it waits. */
  readonly ticket: Ticket | undefined
  /** Once a place was held for it; forgotten a day after. */
  readonly kept: Ticket | undefined
  /** Why the license whose key asks gives nothing. */
  readonly refused: Refusal | undefined
  /** What the record says became of it, as far as the caller may know. */
  readonly became: string | undefined
}

type State =
  | { readonly is: 'held'; readonly hold: Entry }
  | { readonly is: 'waiting'; readonly ticket: Ticket; readonly before: readonly Ticket[] }
  | { readonly is: 'ended' }

/** Why does this ticket wait, and for whom? Or is a place held for it, or is it over? */
export function explainTicket(facts: TicketFacts, sight: Sight, now: Seconds): Explanation {
  const { standings, situation, refused } = facts
  const { metric } = situation
  const floating = standings.filter((one) => isFloating(one) && Object.hasOwn(one.license.limits, metric))
  const state = stateOf(facts, now)
  const claimed = claimOf(facts, now)
  return {
    granted: state.is === 'held' && claimed !== NOT_IN_FORCE,
    summary: summaryOf(state, claimed),
    chain: [
      heldStep(standings),
      ...floating.map(standingStep),
      ...(refused ? [step('own license counts', false, refused.detail)] : []),
      ...stateSteps(state, facts, sight, now),
    ],
    predictions: [
      { operation: 'POST /v1/tickets/ping', outcome: 'OK', state: state.is },
      { operation: 'POST /v1/tickets/claim', outcome: claimed },
    ],
    cures:
      claimed === NOT_IN_FORCE
        ? curesOf(floating.length > 0 ? floating : standings, `Buy a floating license for ${metric}.`)
        : ticketCures(state, facts, sight, now),
  }
}

const NOT_IN_FORCE = 'LICENSE_NOT_IN_FORCE'

/** What a ping finds: it gives out what is free before it looks. */
function stateOf({ ref, situation: { line, hold }, ticket }: TicketFacts, now: Seconds): State {
  if (line === undefined) return { is: 'ended' }
  const { pool, tickets } = served(line, hold, now)
  const entry = pool.entries.get(ref)
  if (entry?.kind === 'hold' && !isLapsed(entry, now)) return { is: 'held', hold: entry }
  const isListed = line.tickets.some((one) => one.ref === ref)
  const left = isListed ? tickets.find((one) => one.ref === ref) : ticket
  if (left === undefined || isDead(left, now)) return { is: 'ended' }
  const before = tickets.filter(
    (one) => one.order < left.order || (one.order === left.order && one.ref < left.ref),
  )
  return { is: 'waiting', ticket: left, before: before.slice(0, COUNTED) }
}

/** The code that a claim answers; it gives nothing out. */
function claimOf({ ref, situation: { line, terms }, ticket, refused }: TicketFacts, now: Seconds): string {
  if (refused || line === undefined || terms.size.limit === 0) return NOT_IN_FORCE
  const found = claim(line.pool, ref, terms.offers, now)
  if (found.is === 'claimed' || found.is === 'again') return 'OK'
  return found.is === 'not-held' && ticket !== undefined ? 'TRANSITION_NOT_ALLOWED' : 'TICKET_ENDED'
}

function summaryOf(state: State, claimed: string): string {
  switch (state.is) {
    case 'held':
      if (claimed === NOT_IN_FORCE)
        return 'A place is held for it, and no license that counts: it cannot be claimed.'
      return claimed === 'OK'
        ? 'A place is held for it: claim it.'
        : 'A place is free for it: the next ping gets it, then claim it.'
    case 'waiting':
      return `It waits: ${state.before.length} before it.`
    case 'ended':
      return claimed === 'OK'
        ? 'It was claimed just now.'
        : 'It is over: it waits no more and holds no place.'
  }
}

/** Those before it that are named. */
const SHOWN = 5

function stateSteps(state: State, facts: TicketFacts, sight: Sight, now: Seconds): Step[] {
  const { situation, kept, ticket, became } = facts
  if (state.is === 'held') {
    return [step('place held', true, `${state.hold.units} until ${instantOf(state.hold.until)}`)]
  }
  if (state.is === 'ended') {
    return [
      ...(ticket ? [step('heard of', false, `given up: ${deadline(ticket)}`)] : []),
      ...(kept && became === undefined
        ? [step('place held', false, 'a place was held for it, and is claimed, given back or lapsed')]
        : []),
      ...(became === undefined ? [] : [step('what became of it', false, became)]),
      ...(ticket || kept || became !== undefined
        ? []
        : [step('in the queue', false, 'it left the queue, or was given up')]),
    ]
  }
  const { ticket: own, before } = state
  const { position, estimate } = standing(state, situation, now)
  const found = checkOutOf(situation, own.units, own.department, now, { ref: own.ref })
  const ahead = before
    .slice(0, SHOWN)
    .map((one) => `${nameOf(one.holder)}: ${one.units} since ${one.createdAt}`)
  return [
    step('in the queue', true, `${own.units} since ${own.createdAt}, ${deadline(own)}`),
    step(
      'first in line',
      position === 1,
      `position ${position}${before.length === COUNTED ? ' at least' : ''}${sight.others && ahead.length > 0 ? `, after ${ahead.join('; ')}` : ''}`,
    ),
    ...poolSteps(situation, own.units, found, sight, now),
    ...(estimate === undefined
      ? []
      : [
          step(
            'estimate',
            true,
            `the leases it waits for end by ${instantOf(estimate)}, if none is renewed or given back before`,
          ),
        ]),
  ]
}

const deadline = ({ pingBy, waitUntil }: Ticket) =>
  `to be pinged before ${instantOf(pingBy)}${waitUntil === undefined ? '' : `, waits until ${instantOf(waitUntil)}`}`

function standing(
  { ticket, before }: State & { is: 'waiting' },
  { line, hold }: PoolSituation,
  now: Seconds,
): { position: number; estimate: Seconds | undefined } {
  if (line === undefined) return { position: 1, estimate: undefined }
  return standingOf(ticket, before, served(line, hold, now).pool, now)
}

function ticketCures(state: State, { situation, kept }: TicketFacts, sight: Sight, now: Seconds): Cure[] {
  const { line, hold } = situation
  if (state.is === 'held' || line === undefined) return []
  if (state.is === 'ended') {
    const found = checkOutOf(situation, 1, kept?.department, now)
    if (outcomeOf(found) === 'OK') return [free('caller', 'Check out (POST /v1/leases): a place is free.')]
    return found.is === 'full' ? poolCures(situation, 1, found.line, sight, now) : []
  }
  const { ticket, before } = state
  const { estimate } = standing(state, situation, now)
  const { pool } = served(line, hold, now)
  const wanted = before.reduce((units, one) => units + one.units, ticket.units)
  const at = estimate === undefined ? undefined : instantOf(estimate)
  const own = free(
    'caller',
    `Ping it (POST /v1/tickets/ping) before ${instantOf(ticket.pingBy)}, or it is given up.`,
    {
      until: instantOf(ticket.pingBy),
    },
  )
  return cheapestFirst([
    ...(at
      ? [free('nobody', `Wait: by ${at} the leases it waits for end, unless they are renewed.`, { at })]
      : []),
    own,
    ...poolCures(situation, wanted, { pool, tickets: [] }, sight, now).filter(
      ({ who, costs }) => who === 'tenant' || costs === 'money',
    ),
  ])
}
