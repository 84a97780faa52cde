// `npm run rehearse`: deploys the very template with the CDK CLI to an AWS emulator on this machine, and goes through the
// story there; a second deployment keeps the data, one that fails is rolled back.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { validationRoutes } from '../../functions/validation/routes.ts'
import { readClock } from '../../shared/platform/time.ts'
import { firstVendorToken } from '../first-token.ts'
import { createClient } from '../local/demo/client.ts'
import { consoleNarrator, timed } from '../local/demo/console-narrator.ts'
import { type Ending, tellStory } from '../local/demo/story.ts'
import type { Narrator, World } from '../local/demo/tale.ts'
import { tamperAt } from '../local/demo/world.ts'
import { NoPythonError } from '../python.ts'
import { proveAudit } from './audit-proof.ts'
import { goBeyond } from './beyond-the-story.ts'
import { CdkError, type Cloud, cloudAt, type Outputs, type Resources } from './cloud.ts'
import { readMails } from './mails.ts'
import { installMinistack, startMinistack } from './ministack.ts'
import { runSchedules } from './schedules.ts'

const STAGE = 'local'
/** `--if-possible`: no failure where there is no Python that is new enough, or none of its packages. */
const isOptional = process.argv.includes('--if-possible')
const FOLDER = '.latchkey/rehearsal'

/** The emulator serves APIs below a path of its own. */
function apiAt(endpoint: string, { ApiUrl }: Outputs): string {
  const [, id] = /^https?:\/\/(\w+)\./.exec(ApiUrl) ?? []
  assert.ok(id, `no API id in ${ApiUrl}`)
  return `${endpoint}/_aws/execute-api/${id}/$default`
}

async function rehearse(endpoint: string, folder: string): Promise<void> {
  const narrator = consoleNarrator()
  const cloud = cloudAt(endpoint, STAGE, folder)
  await timed('cdk bootstrap', () => cloud.bootstrap())
  const outputs = await timed('cdk deploy', () => cloud.deploy())
  const { TableName, CredentialKeyId, Issuer } = outputs
  const world: World = {
    url: apiAt(endpoint, outputs),
    token: await firstVendorToken({
      environment: { TABLE_NAME: TableName, CREDENTIAL_KEY_ID: CredentialKeyId, STAGE },
      endpoints: { dynamodb: endpoint, kms: endpoint },
    }),
    issuer: Issuer,
    tamper: tamperAt(endpoint, TableName),
  }
  const ending = await tellStory(world, narrator, readClock())
  await goBeyond(world, narrator)
  narrator.chapter('Every schedule that was deployed fires')
  narrator.say('jobs', (await runSchedules(endpoint, readClock())).join(', '))
  narrator.chapter('A mail, sent by SES')
  await readMails(endpoint, world, ending, narrator)
  narrator.chapter('The audit log, as an auditor sees it who has the key from KMS')
  await proveAudit(endpoint, world, ending.tenantId, narrator)
  await redeploy(cloud, outputs, world, ending, narrator)
  await failAndRollBack(cloud, world, ending, narrator)
}

/** A newer version over what is there, and the one of before again. */
async function redeploy(cloud: Cloud, before: Outputs, world: World, ending: Ending, narrator: Narrator) {
  narrator.chapter('A second deployment over the first, and back')
  for (const deploy of [() => cloud.deployChanged(giveMemory), () => cloud.deploy()]) {
    assert.deepEqual(await timed('cdk deploy', deploy), before)
    await expectValid(world, ending)
  }
  narrator.say('kept', 'table, keys and API are the same; the license of before is VALID')
}

/**
 * A deployment of which a part cannot be made. It fails before anything else is touched: what AWS restores then, the
 * emulator deletes.
 */
async function failAndRollBack(cloud: Cloud, world: World, ending: Ending, narrator: Narrator) {
  narrator.chapter('A deployment that fails')
  const failed = await timed('cdk deploy', () => cloud.deployChanged(breakFirst).then(notFailed, cdkMessage))
  // The CLI cuts long names off.
  assert.match(failed, /UPDATE_ROLLBACK_COMPLET/, `it was not rolled back:\n${failed}`)
  await expectValid(world, ending)
  narrator.say('rolled back', 'the API answers as before; the license of before is VALID')
}

/** Every function becomes another one. */
function giveMemory(resources: Resources): Resources {
  return Object.fromEntries(
    Object.entries(resources).map(([id, resource]) => [
      id,
      resource.Type === 'AWS::Lambda::Function'
        ? { ...resource, Properties: { ...Object(resource['Properties']), MemorySize: 2048 } }
        : resource,
    ]),
  )
}

/** A key of a kind that there is not; the emulator takes what does not depend on others by name. */
const breakFirst = (resources: Resources): Resources => ({
  ANoSuchKey: {
    Type: 'AWS::KMS::Key',
    Properties: { KeySpec: 'NO_SUCH_SPEC', KeyUsage: 'SIGN_VERIFY', KeyPolicy: {} },
  },
  ...resources,
})

const notFailed = () => 'it did not fail'
function cdkMessage(error: unknown): string {
  if (error instanceof CdkError) return error.message
  throw error
}

async function expectValid({ url }: World, { active }: Ending): Promise<void> {
  const { code } = await createClient(url).ask(validationRoutes.validateLicense, undefined, {
    body: { key: active.key },
  })
  assert.equal(code, 'VALID')
}

try {
  mkdirSync(FOLDER, { recursive: true })
  const command = installMinistack(FOLDER)
  const folder = mkdtempSync(join(FOLDER, 'run-'))
  const emulator = await startMinistack(command)
  try {
    await rehearse(emulator.endpoint, folder)
    console.log('\nThe rehearsal went as it should.')
  } catch (error) {
    writeFileSync(join(FOLDER, 'emulator.log'), emulator.log())
    console.error(`\nThe rehearsal failed; what the emulator said is in ${FOLDER}/emulator.log.`)
    throw error
  } finally {
    await emulator.close()
    rmSync(folder, { recursive: true, force: true })
  }
} catch (error) {
  const isImpossible = error instanceof NoPythonError
  console.error(isImpossible ? `Not rehearsed: ${error.message}.` : error)
  process.exitCode = isImpossible && isOptional ? 0 : 1
}
