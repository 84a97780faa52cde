/**
 * Which records of the table's stream reach this context: of items whose newest image says what its last change did
 * (shared/domain/lease-last.ts). Those are the pools. Lambda compares whole fields and their beginnings and ends, so
 * the `#POOLS#` in the middle of a key cannot be asked for. Heartbeats come too: they leave `last` as it was.
 */
export const RECORDS_FILTER = {
  dynamodb: { NewImage: { last: { M: { op: { S: [{ exists: true }] } } } } },
}
