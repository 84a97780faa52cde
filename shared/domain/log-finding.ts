import * as z from 'zod'

/** What can be wrong with a log, and what each means. Whoever does one of these wrote to the table behind the API's back. */
export const LOG_FINDINGS = {
  HEAD_MISSING: 'The log has leaves, and its head is gone.',
  HEAD_CHANGED: 'The head of the log is not the tree of its leaves.',
  LEAF_MISSING: 'A leaf of the log is gone.',
  LEAF_CHANGED: 'A leaf of the log is not what its tree says.',
  LEAF_INSERTED: 'A leaf lies behind the end of the log.',
  PLACE_MISSING: 'A leaf is not found by its name any more.',
  PLACE_CHANGED: 'A name leads to a leaf that is not its own.',
  EVENT_MISSING: 'An event of the log is gone.',
  EVENT_CHANGED: 'An event is not what the log has of it.',
  EVENT_UNSEQUENCED: 'An event did not come into the log in time.',
  EVENT_BACKDATED: 'An event says that it was made long before others that came into the log before it.',
  TILE_MISSING: 'A tile of the log is gone.',
  TILE_CHANGED: 'A tile of the log is not made of its leaves.',
  TILE_INSERTED: 'A tile lies behind the end of the log.',
  CHECKPOINT_FORGED: 'A checkpoint is not what was signed.',
  CHECKPOINT_INCONSISTENT: 'The log is not what a signed checkpoint says it was at that size.',
  CHECKPOINT_MISSING: 'A signed checkpoint is gone.',
  CHECKPOINT_INSERTED:
    'A checkpoint lies among those that were signed, and was not signed after the one before it.',
} as const
export type LogFindingCode = keyof typeof LOG_FINDINGS

/** Something wrong with a log. */
export const LogFinding = z.strictObject({
  code: z.enum(Object.keys(LOG_FINDINGS).filter(isCode)),
  /** What is wrong, in a sentence. */
  what: z.string(),
  /** The row, by its key; or several that follow each other. */
  where: z.string(),
})
export type LogFinding = z.infer<typeof LogFinding>

function isCode(name: string): name is LogFindingCode {
  return Object.hasOwn(LOG_FINDINGS, name)
}
