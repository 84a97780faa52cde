/** Starts them all at once. */
export function times<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => make(index)))
}

/** How many there are of each. */
export function tally(all: readonly string[]): Record<string, number> {
  const groups = Map.groupBy(all, (one) => one)
  return Object.fromEntries([...groups].map(([one, same]) => [one, same.length]))
}
