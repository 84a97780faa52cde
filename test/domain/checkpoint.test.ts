import { generateKeyPairSync, sign } from 'node:crypto'
import { expect, test } from 'vitest'
import { eventEntry } from '../../shared/domain/audit-entry.ts'
import { canonicalJson } from '../../shared/domain/canonical-json.ts'
import {
  checkpointText,
  openNote,
  originOf,
  parseCheckpoint,
  parseReceipt,
  parseVerifierKey,
  receipt,
  signedNote,
  verifierKey,
} from '../../shared/domain/checkpoint.ts'
import { Event } from '../../shared/domain/event.ts'
import { EMPTY_ROOT, leafHash } from '../../shared/domain/merkle.ts'
import { TENANT } from '../support/licenses.ts'

test('a log is named after the host of the issuer and whose it is', () => {
  expect(originOf('https://licensing.example.test', TENANT)).toBe(`audit.licensing.example.test/t/${TENANT}`)
  expect(originOf('http://127.0.0.1:8787', 'vendor')).toBe('audit.127.0.0.1:8787/vendor')
})

// The verifier key and the note of the documentation of Go's note package.
const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const NOTE =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"

test('a known key and its note are read, and written the same', () => {
  const key = parseVerifierKey(PETER)
  if (key === undefined) throw new Error('the key was not read')
  expect(verifierKey(key)).toBe(PETER)
  const opened = openNote(NOTE, key)
  if (opened === undefined) throw new Error('the note was not read')
  expect(signedNote(opened.text, key, opened.signature)).toBe(NOTE)
  expect(openNote(NOTE, { ...key, name: 'Peter' })).toBeUndefined()
})

test.each([
  ['another id of the key', PETER.replace('c74f20a3', 'c74f20a4')],
  ['another kind of key', PETER.replace('+AR', '+BR')],
  ['a name with a space', PETER.replace('PeterNeumann', 'Peter Neumann')],
  ['nothing', ''],
])('%s is no verifier key', (_, text) => {
  expect(parseVerifierKey(text)).toBeUndefined()
})

const checkpoint = { origin: 'audit.example.test/vendor', size: 7, root: EMPTY_ROOT }

test('a checkpoint has one form', () => {
  const text = checkpointText(checkpoint)
  expect(text).toBe('audit.example.test/vendor\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n')
  expect(parseCheckpoint(text)).toEqual({ ...checkpoint, root: Buffer.from(EMPTY_ROOT) })
  for (const bad of [`${text}x\n`, text.replace('7', '07'), text.replace('7', '-1'), text.slice(0, -1), ''])
    expect(parseCheckpoint(bad)).toBeUndefined()
})

test('a note with no signature of the key, or none at all, does not open', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)
  const key = { name: checkpoint.origin, publicKey: raw }
  const text = checkpointText(checkpoint)
  const note = signedNote(text, key, sign(null, Buffer.from(text), privateKey))
  expect(openNote(note, key)?.text).toBe(text)
  // A witness may sign below it.
  expect(openNote(`${note}\u2014 witness AAAAAAAA\n`, key)?.text).toBe(text)
  for (const bad of [
    text,
    note.slice(0, -1),
    note.replace('\u2014', '-'),
    note.replace('\n\n', '\n'),
    `${note}x\n`,
  ])
    expect(openNote(bad, key)).toBeUndefined()
  const proof = [leafHash(raw), leafHash(Buffer.from(text))]
  expect(parseReceipt(receipt(3, proof, note))).toEqual({
    index: 3,
    proof: proof.map((one) => Buffer.from(one)),
    note,
  })
  expect(parseReceipt(receipt(3, proof, note).replace('v1', 'v2'))).toBeUndefined()
})

test('JSON has one form, whatever the order of its members (RFC 8785)', () => {
  const value = {
    '\u20ac': 1e21,
    '\r': null,
    a: [0.1, -0, true, { z: 1, b: undefined }],
    '\ud83d\ude00': '\u000f"\u20ac',
  }
  expect(canonicalJson(value)).toBe(
    '{"\\r":null,"a":[0.1,0,true,{"z":1}],"\u20ac":1e+21,"\ud83d\ude00":"\\u000f\\"\u20ac"}',
  )
})

test('an entry says the event and its salt, and nothing without the salt', () => {
  const event = Event.parse({
    id: 'evt_00000000000000000000000001',
    type: 'tenant.created',
    at: '2026-01-01T00:00:00.000Z',
    tenantId: TENANT,
    actor: { kind: 'system', subject: 'test' },
    subject: { type: 'tenant', id: TENANT },
    after: { b: 1, a: 2 },
    requestId: 'request-1',
  })
  const entry = eventEntry(event, Buffer.alloc(32, 1))
  expect(Buffer.from(entry).toString('hex')).toBe(
    Buffer.from(eventEntry({ ...event, after: { a: 2, b: 1 } }, Buffer.alloc(32, 1))).toString('hex'),
  )
  expect(entry).toHaveLength(32)
  for (const other of [
    eventEntry({ ...event, after: { a: 2, b: 2 } }, Buffer.alloc(32, 1)),
    eventEntry(event, Buffer.alloc(32, 2)),
  ])
    expect(Buffer.compare(entry, other)).not.toBe(0)
})
