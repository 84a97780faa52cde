import { createHash, createHmac, type KeyObject, sign } from 'node:crypto'
import { KMSClient, SignCommand } from '@aws-sdk/client-kms'
import { derToJose } from 'ecdsa-sig-formatter'
import * as z from 'zod'

type Part = Readonly<Record<string, unknown>>
/** Makes the signature of a compact JWS from its first two parts. */
type Signer = (input: string) => string | Promise<string>

const Parts = z.tuple([z.record(z.string(), z.unknown()), z.record(z.string(), z.unknown())])

/** Header and payload of a compact JWS. */
export function partsOf(jws: string): { header: Part; payload: Part } {
  const texts = jws
    .split('.', 2)
    .map((part): unknown => JSON.parse(Buffer.from(part, 'base64url').toString()))
  const [header, payload] = Parts.parse(texts)
  return { header, payload }
}

/** A compact JWS that says what one likes. */
export async function forge(header: Part, payload: Part, signer: Signer): Promise<string> {
  const input = [header, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${input}.${await signer(input)}`
}

export const byKey =
  (key: KeyObject): Signer =>
  (input) =>
    sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')

export const bySecret =
  (secret: string | Buffer): Signer =>
  (input) =>
    createHmac('sha256', secret).update(input).digest('base64url')

/** As the service signs, for what it never would. */
export const byKms =
  (keyId: string): Signer =>
  async (input) => {
    const kms = new KMSClient({})
    const { Signature = new Uint8Array() } = await kms.send(
      new SignCommand({
        KeyId: keyId,
        Message: createHash('sha256').update(input).digest(),
        MessageType: 'DIGEST',
        SigningAlgorithm: 'ECDSA_SHA_256',
      }),
    )
    kms.destroy()
    return derToJose(Buffer.from(Signature), 'ES256')
  }

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The text with one letter replaced by its neighbor, the smallest change there is. */
export function withLetterChanged(text: string, index: number): string {
  const place = BASE64URL.indexOf(text[index] ?? '')
  const letter = place === -1 ? 'A' : BASE64URL[place ^ 1]
  return `${text.slice(0, index)}${letter}${text.slice(index + 1)}`
}
