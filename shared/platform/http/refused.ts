import type { Refusal } from '../../domain/refusal.ts'

/** Ends a request early, from any step of the pipeline. Domain and handlers return refusals instead. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(refusal.refused)
    this.refusal = refusal
  }
}
