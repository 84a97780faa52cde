/** A bounded memory of a warm function: the oldest entry makes room. */
export class Remembered<K, V> {
  readonly #entries = new Map<K, V>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)
  }

  set(key: K, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    const oldest = this.#entries.keys().next()
    if (this.#entries.size > this.#most && !oldest.done) this.#entries.delete(oldest.value)
  }
}

/** What is read for a key is read once, and again only after that failed. */
export function rememberedReads<K, V>(most: number, read: (key: K) => Promise<V>): (key: K) => Promise<V> {
  const known = new Remembered<K, () => Promise<V>>(most)
  return (key) => {
    const reading = known.get(key) ?? once(() => read(key))
    known.set(key, reading)
    return reading()
  }
}

/** Runs `make` at the first call and again only after it failed. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
}
