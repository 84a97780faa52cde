// Setup of vitest, for each file that runs the service.
import { afterAll } from 'vitest'
import { newEventId } from '../../shared/platform/ids.ts'
import { fromEpochMilliseconds, HOUR, MINUTE } from '../../shared/platform/time.ts'

// Ids of events tell the time and sort as they are made, where a clock goes back a little as well. A file before this one,
// in the same process, may have left its clock a little ahead: ids begin anew after one that was far behind. (To the library
// 0 is no time.)
newEventId(fromEpochMilliseconds(1))

/** Longer than any file takes. */
const LONGEST = 10 * MINUTE

// What is counted by the hour or the day begins anew at its turn, and a test that counts would fail once in many runs. So
// a file that might run over the turn of an hour runs in the minutes before: what happens at a turn is for a test that
// stops the clock there (clock.ts).
// biome-ignore lint/style/noRestrictedGlobals: the clock itself is set back
const clock = Date
const { now } = clock
if (HOUR - (now() % HOUR) < LONGEST) {
  clock.now = () => now() - LONGEST
  afterAll(() => {
    clock.now = now
  })
}
