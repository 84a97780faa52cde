import * as z from 'zod'
import { Instant } from '../platform/time.ts'
import { NoticeAbout, NoticeState, Recipient } from './notice.ts'

/** A notice as the API shows it. */
export const NoticeView = z
  .strictObject({
    id: z.string(),
    recipient: Recipient,
    about: NoticeAbout,
    createdAt: Instant,
    /** It is news until then. */
    until: Instant,
    became: NoticeState,
  })
  .meta({ id: 'Notice' })
export type NoticeView = z.infer<typeof NoticeView>
