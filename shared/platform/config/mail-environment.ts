import * as z from 'zod'
import { json } from './environment.ts'

/** `Licensing <licensing@vendor.example>`, or the address alone. */
export const MailFrom = z
  .string()
  .max(320)
  .regex(
    /^(?:[^<>\p{Cc}]+ <[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/u,
    'an address, such as Licensing <licensing@vendor.example>',
  )

/** How mail is sent. */
export const MailSettings = z.discriminatedUnion('transport', [
  z.strictObject({ transport: z.literal('ses'), from: MailFrom, configurationSet: z.string() }),
  /** A server that takes mail without a password: in the same network, or on this machine. */
  z.strictObject({
    transport: z.literal('smtp'),
    from: MailFrom,
    host: z.string(),
    port: z.int().min(1).max(65_535),
    /** TLS from the first byte; otherwise by STARTTLS where the server offers it. */
    secure: z.boolean(),
  }),
])
export type MailSettings = z.infer<typeof MailSettings>

/** Of the function that sends mail: how (`null`: not at all), and under which address the links in mails lead here. */
export const MailEnvironment = z.object({
  MAIL: json(MailSettings.nullable()),
  PUBLIC_URL: z.string().transform((url) => url.replace(/\/$/, '')),
})
