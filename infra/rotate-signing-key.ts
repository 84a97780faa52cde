import { readFileSync, writeFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import * as z from 'zod'
import { CDK_JSON, CdkJson, readStage, StageSettings } from './stage.ts'

/**
 * Adds a signing key to a stage in cdk.json, where everything else stays as it was written. The stage's next
 * deployment makes the key.
 *
 * @returns how many keys the stage has now
 * @throws an Error when there is no such stage, or it cannot have more keys
 */
export function addSigningKey(stage: string, file = CDK_JSON): number {
  const signingKeys = readStage(stage, file).signingKeys + 1
  if (!StageSettings.shape.signingKeys.safeParse(signingKeys).success)
    throw new Error(
      `Stage ${stage} has ${signingKeys - 1} signing keys, as many as its stack takes: it cannot be rotated any more.`,
    )
  const text = readFileSync(file, 'utf8')
  const wanted = withSigningKeys(text, stage, signingKeys)
  const edited = edits(text, stage, signingKeys).find((edit) => isDeepStrictEqual(parse(edit), wanted))
  if (edited === undefined)
    throw new Error(`Write "signingKeys": ${signingKeys} into stage ${stage} of ${file}.`)
  writeFileSync(file, edited)
  return signingKeys
}

/** What the file has to mean afterwards. */
function withSigningKeys(text: string, stage: string, signingKeys: number): unknown {
  const cdkJson = CdkJson.parse(JSON.parse(text))
  const settings = z.looseObject({}).parse(cdkJson.context.stages[stage])
  const stages = { ...cdkJson.context.stages, [stage]: { ...settings, signingKeys } }
  return { ...cdkJson, context: { ...cdkJson.context, stages } }
}

/** Edits of which one can be the right one: the number replaced where it stands, or written where it is missing. */
function edits(text: string, stage: string, signingKeys: number): string[] {
  const edited = (match: RegExpExecArray, replacement: string) =>
    text.slice(0, match.index) + replacement + text.slice(match.index + match[0].length)
  const numbers = [...text.matchAll(/(?<="signingKeys"\s*:\s*)\d+/g)]
  const openings = [...text.matchAll(/"([^"]+)"\s*:\s*\{\s*/g)].filter(([, name]) => name === stage)
  return [
    ...numbers.map((match) => edited(match, String(signingKeys))),
    ...openings.map((match) =>
      edited(match, `${match[0]}"signingKeys": ${signingKeys},${/\s*$/.exec(match[0])}`),
    ),
  ]
}

/** The JSON, or undefined if the text is none. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

if (import.meta.main) {
  const [stage] = process.argv.slice(2)
  if (stage === undefined) {
    console.error('Which stage? npm run rotate-signing-key -- <stage>')
    process.exit(1)
  }
  const signingKeys = addSigningKey(stage)
  console.log(`cdk.json: stage ${stage} has ${signingKeys} signing keys.

Now: ${stage === 'local' ? 'restart npm start' : `npm run deploy -- -c stage=${stage}`}

Then key ${signingKeys - 1}, published as next until now, is active and signs new license files; key ${signingKeys - 2} is
retired and stays published, so files it signed keep verifying; key ${signingKeys} is new and is published as next.`)
}
