import type { Instant } from '../platform/time.ts'
import type { DENIAL_CLASSES, DENIAL_REASONS, Denial, Judged } from './denial.ts'
import { stretches } from './stretches.ts'

type Tally = { readonly denials: number; readonly units: number }

/** A stretch of time: the denials of a key in it, by class and by reason. */
type DenialBucket = {
  readonly from: Instant
  readonly until: Instant
  /** `null`: not told by the application. */
  readonly key: string | null
  readonly byClass: Partial<Record<(typeof DENIAL_CLASSES)[number], Tally>>
  readonly byReason: Partial<Record<(typeof DENIAL_REASONS)[number], Tally>>
}

/** Gathers denials between marks, by key: each lies where its last request does. Stretches without any are left out. */
export function denialSeries(
  all: readonly { denial: Denial; judged: readonly Judged[] }[],
  marks: readonly Instant[],
  keyOf: (denial: Denial) => string | null,
): DenialBucket[] {
  return stretches(marks, all, ({ denial }) => denial.last).flatMap(({ from, until, own }) =>
    [...Map.groupBy(own, ({ denial }) => keyOf(denial))]
      .toSorted(([a], [b]) => ((a ?? '') < (b ?? '') ? -1 : 1))
      .map(([key, some]) => {
        const judged = some.flatMap((one) => one.judged)
        return {
          from,
          until,
          key,
          byClass: tallies(judged, (one) => one.class),
          byReason: tallies(judged, (one) => one.reason),
        }
      }),
  )
}

function tallies<Key extends string>(
  judged: readonly Judged[],
  keyOf: (one: Judged) => Key,
): Partial<Record<Key, Tally>> {
  const found: Partial<Record<Key, Tally>> = {}
  for (const one of judged) {
    const key = keyOf(one)
    const { denials = 0, units = 0 } = found[key] ?? {}
    found[key] = { denials: denials + one.denials, units: units + one.units }
  }
  return found
}
