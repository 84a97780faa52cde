/** Before what others were in the way of is tried again. Full jitter: 0 to 10 × 2^attempt milliseconds, at most 500. */
export function pause(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(500, 10 * 2 ** attempt)))
}
