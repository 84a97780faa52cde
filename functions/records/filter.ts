/**
 * Which records of the table's stream reach this context. Of pools those whose newest image says what its last change
 * did (shared/domain/lease-last.ts): Lambda compares whole fields and their beginnings and ends, so the `#POOLS#` in the
 * middle of a key cannot be asked for. Heartbeats come too: they leave `last` as it was.
 */
const POOLS = {
  dynamodb: { NewImage: { last: { M: { op: { S: [{ exists: true }] } } } } },
}

/** Events as they are committed. They never change, so whatever else happens to one was not done by this program. */
const EVENTS = { eventName: ['INSERT'], dynamodb: { NewImage: { entity: { S: ['event'] } } } }

/** A record that matches one of these. */
export const RECORDS_FILTERS = [POOLS, EVENTS]
