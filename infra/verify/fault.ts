/** Why something is not proven. */
type FaultName =
  | 'FILE_UNREADABLE'
  | 'KEY_UNREADABLE'
  | 'CHECKPOINT_MISSING'
  | 'CHECKPOINT_UNSIGNED'
  | 'CHECKPOINT_OTHER'
  | 'ENTRY_CHANGED'
  | 'ENTRY_MISSING'
  | 'ENTRY_MISPLACED'
  | 'ROOT_WRONG'
  | 'HISTORY_REWRITTEN'
  | 'EARLIER_UNPROVEN'
  | 'ANCHOR_WRONG'

/** What was to be proven is not, and this is the first reason found. */
export class Fault extends Error {
  readonly fault: FaultName
  constructor(fault: FaultName, message: string) {
    super(message)
    this.fault = fault
  }
}
