// `npm run first-token -- --table <name> --credential-key <id> --stage <name>`: the first token of a stage, before
// anybody could ask the API for one. The one place in infra that writes through the store: a second way to hash or
// format tokens would be worse than this import.
import { parseArgs } from 'node:util'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { KMSClient } from '@aws-sdk/client-kms'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { tokenView } from '../shared/domain/token.ts'
import { mintToken } from '../shared/platform/auth/mint-token.ts'
import { Environment } from '../shared/platform/config/environment.ts'
import { newEventId } from '../shared/platform/ids.ts'
import { loadSecrets } from '../shared/platform/signing/mac.ts'
import { readClock } from '../shared/platform/time.ts'
import { eventItem } from '../shared/store/event.ts'
import { tokenItem } from '../shared/store/token.ts'
import { putOnce, transact } from '../shared/store/transact.ts'

const Stage = Environment.pick({ TABLE_NAME: true, CREDENTIAL_KEY_ID: true, STAGE: true })
const ACTOR = 'first-token'

type FirstTokenOptions = {
  /** Variables of any function of the stage. */
  readonly environment: Readonly<Record<string, string>>
  /** Of a local stack; AWS itself, with the credentials of whoever calls, unless given. */
  readonly endpoints?: { readonly dynamodb: string; readonly kms: string }
}

/** Makes a token with the role `vendor:admin` and no end, and its event. The text cannot be had again. */
export async function firstVendorToken({ environment, endpoints }: FirstTokenOptions): Promise<string> {
  const { TABLE_NAME, CREDENTIAL_KEY_ID, STAGE } = Stage.parse(environment)
  const dynamodb = new DynamoDBClient(endpoints ? local(endpoints.dynamodb) : {})
  const kms = new KMSClient(endpoints ? local(endpoints.kms) : {})
  try {
    const { tokenHash } = await loadSecrets(kms, CREDENTIAL_KEY_ID)
    const now = readClock()
    const facts = { name: 'First token', role: 'vendor:admin', createdAt: now, createdBy: ACTOR } as const
    const { text, token } = mintToken(facts, STAGE, tokenHash)
    const event = {
      id: newEventId(now),
      type: 'token.created',
      at: now,
      actor: { kind: 'system', subject: ACTOR },
      subject: { type: 'token', id: token.id },
      after: tokenView(token),
      requestId: ACTOR,
    } as const
    await transact(
      { client: DynamoDBDocumentClient.from(dynamodb), name: TABLE_NAME },
      { token: putOnce(tokenItem(token)), event: putOnce(eventItem(event)) },
    )
    return text
  } finally {
    dynamodb.destroy()
    kms.destroy()
  }
}

const local = (endpoint: string) => ({
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
})

if (import.meta.main) {
  const text = { type: 'string', default: '' } as const
  const { values } = parseArgs({ options: { table: text, 'credential-key': text, stage: text } })
  const { table, 'credential-key': key, stage } = values
  if (table === '' || key === '' || stage === '') {
    console.error(
      'Usage: npm run first-token -- --table <name> --credential-key <key id or ARN> --stage <name>',
    )
    process.exit(2)
  }
  const environment = { TABLE_NAME: table, CREDENTIAL_KEY_ID: key, STAGE: stage }
  console.log(await firstVendorToken({ environment }))
}
