import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { TokenId } from '../ids.ts'

/**
 * A token: `lk_<stage>_<id>_<secret><checksum>`. The prefix lets leak scanners find it, the checksum lets a damaged one
 * be refused without asking anyone (the pattern of GitHub's tokens; trust.md, section 3.2).
 */
type ParsedToken = { readonly id: TokenId; readonly secret: string }

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const SECRET_LENGTH = 32
const SHAPE = new RegExp(
  `^(lk_[a-z0-9-]+_([0-9A-HJKMNP-TV-Z]{26})_([0-9A-Za-z]{${SECRET_LENGTH}}))([0-9A-Za-z]{6})$`,
)

/** 32 characters of 62: 190 random bits. */
export function newTokenSecret(): string {
  let secret = ''
  while (secret.length < SECRET_LENGTH) {
    // Bytes from 248 on are dropped, so that every character is equally likely.
    for (const byte of randomBytes(SECRET_LENGTH))
      if (byte < 248 && secret.length < SECRET_LENGTH) secret += BASE62[byte % 62]
  }
  return secret
}

export function formatToken(stage: string, id: TokenId, secret: string): string {
  const body = `lk_${stage}_${id.slice('tok_'.length)}_${secret}`
  return body + checksum(body)
}

/** The parts of a token, or nothing if its shape or checksum is wrong. */
export function parseToken(text: string): ParsedToken | undefined {
  const [, body, id, secret, check] = SHAPE.exec(text) ?? []
  if (body === undefined || secret === undefined || checksum(body) !== check) return undefined
  return { id: TokenId.parse(`tok_${id}`), secret }
}

function checksum(body: string): string {
  let rest = crc32(body)
  let text = ''
  for (let digit = 0; digit < 6; digit += 1) {
    text = `${BASE62[rest % 62]}${text}`
    rest = Math.floor(rest / 62)
  }
  return text
}
