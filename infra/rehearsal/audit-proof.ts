import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { promisify } from 'node:util'
import * as z from 'zod'
import { auditRoutes } from '../../functions/audit/routes.ts'
import { parseCheckpoint, parseReceipt } from '../../shared/domain/checkpoint.ts'
import { leafHash } from '../../shared/domain/merkle.ts'
import { provesInclusion } from '../../shared/domain/merkle-proof.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import { createClient } from '../local/demo/client.ts'
import type { Narrator, World } from '../local/demo/tale.ts'
import { askAws } from './ask-aws.ts'

/**
 * The tenant's log as an auditor sees it who holds the key that KMS gives, not the one the API publishes: the signature of
 * its checkpoint, the place of an event in it, and the whole of it by `latchkey-verify`.
 */
export async function proveAudit(
  endpoint: string,
  { url, token }: World,
  tenantId: TenantId,
  narrator: Narrator,
): Promise<void> {
  const client = createClient(url)
  const vendor = `Bearer ${token}`
  const params = { tenantId }
  const [key, published] = await Promise.all([
    auditKeyIn(endpoint),
    client.ask(auditRoutes.getAuditKey, undefined, { query: { log: tenantId } }),
  ])
  assert.equal(
    Buffer.from(published.publicKey, 'base64').toString('base64url'),
    key.export({ format: 'jwk' }).x,
  )
  narrator.say('key', 'the one that is published is the one in KMS')

  const { items } = await client.ask(auditRoutes.listAuditEntries, vendor, { params })
  const [first] = items
  assert.ok(first)
  const receipt = parseReceipt(await text(`/audit/receipt?eventId=${first.event.id}`))
  assert.ok(receipt)
  const { index, proof, note } = receipt
  const signed = checkpointSignedBy(key, note)
  const leaf = leafHash(Buffer.from(first.entry, 'base64'))
  assert.ok(provesInclusion({ index, leaf, ...signed }, proof), 'the receipt proves nothing')
  narrator.say('receipt', `${first.event.type} is entry ${index} of ${signed.size}, signed by KMS`)

  const pinned = published.keys.at(-1) ?? ''
  const { stdout } = await promisify(execFile)(
    'npx',
    ['latchkey-verify', `${url}/v1/tenants/${tenantId}/audit`, '--key', pinned],
    { env: { ...process.env, LATCHKEY_TOKEN: token } },
  )
  assert.match(stdout, /^Proven: .* has exactly these \d+ entries, .*signed by the key you pinned/)
  narrator.say('proof', stdout.trim())

  async function text(path: string): Promise<string> {
    const response = await fetch(`${url}/v1/tenants/${tenantId}${path}`, {
      headers: { authorization: vendor },
    })
    assert.equal(response.status, 200)
    return response.text()
  }
}

const Functions = z.object({
  Functions: z.array(
    z.object({
      Environment: z.object({ Variables: z.object({ AUDIT_KEY_ID: z.string().optional() }) }).optional(),
    }),
  ),
})

/** The key that the deployed functions are told to sign checkpoints with. */
async function auditKeyIn(endpoint: string): Promise<KeyObject> {
  const listed: unknown = await (await askAws(endpoint, 'lambda', '/2015-03-31/functions/')).json()
  const [KeyId] = Functions.parse(listed).Functions.flatMap(
    ({ Environment }) => Environment?.Variables.AUDIT_KEY_ID ?? [],
  )
  const request = { target: 'TrentService.GetPublicKey', body: JSON.stringify({ KeyId }) }
  const { PublicKey } = z
    .object({ PublicKey: z.string() })
    .parse(await (await askAws(endpoint, 'kms', '/', request)).json())
  return createPublicKey({ key: Buffer.from(PublicKey, 'base64'), format: 'der', type: 'spki' })
}

/** C2SP signed-note: behind an empty line the signature, base64 of four bytes that name the key and of Ed25519's 64. */
function checkpointSignedBy(key: KeyObject, note: string) {
  const [checkpoint = '', signature = ''] = note.split('\n\n')
  const bytes = Buffer.from(signature.trim().split(' ').at(-1) ?? '', 'base64').subarray(4)
  assert.ok(verify(null, Buffer.from(`${checkpoint}\n`), key, bytes), 'KMS did not sign this checkpoint')
  const parsed = parseCheckpoint(`${checkpoint}\n`)
  assert.ok(parsed)
  return parsed
}
