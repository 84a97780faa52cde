/** A license as a walk at random knows it, told without any of the code under test: times in minutes from its start. */
export type PlainLicense = {
  readonly id: string
  readonly type: 'NORMAL' | 'TOPUP' | 'VALIDITY'
  /** What it extends. */
  readonly base?: string
  readonly from: number
  to: number
  readonly grace: number
  /** As its tenant has it: applied, not uploaded yet, or deleted. */
  install: 'applied' | 'awaited' | 'deleted'
  state: 'usable' | 'suspended' | 'revoked'
}

/** In minutes. */
export const DAYS = 24 * 60

/** It, and what extends its time. */
export const periodsOf = (one: PlainLicense, all: readonly PlainLicense[]): PlainLicense[] => [
  one,
  ...all.filter(
    ({ type, base, install, state }) =>
      type === 'VALIDITY' && base === one.id && install === 'applied' && state === 'usable',
  ),
]

export function plainStatus(one: PlainLicense, all: readonly PlainLicense[], at: number): string {
  if (one.state !== 'usable') return one.state.toUpperCase()
  const begun = periodsOf(one, all).filter(({ from }) => from <= at)
  if (begun.length === 0) return 'PENDING'
  if (begun.some(({ to }) => at < to)) return 'ACTIVE'
  return begun.some(({ to, grace }) => at < to + grace) ? 'GRACE' : 'EXPIRED'
}

export function plainlyCounts(one: PlainLicense, all: readonly PlainLicense[], at: number): boolean {
  const base = all.find(({ id }) => id === one.base)
  const isInForce = ['ACTIVE', 'GRACE'].includes(plainStatus(one, all, at))
  return isInForce && one.install === 'applied' && (base === undefined || plainlyCounts(base, all, at))
}

/** When one of them may begin, end, or end its grace, in the order of time. */
export const boundariesOf = (all: readonly PlainLicense[]): number[] =>
  [...new Set(all.flatMap(({ from, to, grace }) => [from, to, to + grace]))].toSorted((a, b) => a - b)
