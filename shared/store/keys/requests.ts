import type { TokenId } from '../../platform/ids.ts'
import { key } from './key.ts'

export const tokenKey = (id: TokenId) => key(['TOKEN', id], ['TOKEN'])
export const replyKey = (subject: string, idempotencyKey: string) =>
  key(['REPLY', encodeURIComponent(subject)], [encodeURIComponent(idempotencyKey)])
export const countKey = (subject: string, window: string) =>
  key(['COUNT', encodeURIComponent(subject)], [window])
