/** How zod says what is wrong by a rule that JSON Schema has a word for; ours, which it has none for, say it otherwise. */
const BY_SCHEMA =
  /(?:"message":"|: )(?:Invalid (?:input|string|option|key|element)|Too (?:big|small)|Unrecognized key|is (?:missing|not known here)\b)/

/**
 * Is data that is as declared refused as invalid for what the document cannot say? Which fields go together, what there
 * is, the grammar of a SCIM filter, and cursors, which are signed.
 */
export const isBeyondSchema = (answer: string) => !BY_SCHEMA.test(answer)
