import type { Instant } from '../platform/time.ts'

/** What lies in each stretch of time between marks, in the order of time; what lies outside is left out. */
export function stretches<T>(
  marks: readonly Instant[],
  all: readonly T[],
  atOf: (one: T) => Instant,
): { from: Instant; until: Instant; own: T[] }[] {
  const sorted = all
    .map((one) => ({ one, at: atOf(one) }))
    .toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
  let next = 0
  const until = (end: Instant): T[] => {
    const first = next
    while ((sorted[next]?.at ?? end) < end) next += 1
    return sorted.slice(first, next).map(({ one }) => one)
  }
  const [begin, ...ends] = marks
  if (begin === undefined) return []
  until(begin)
  return ends.map((end, index) => ({ from: marks[index] ?? begin, until: end, own: until(end) }))
}
