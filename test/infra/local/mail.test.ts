import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2'
import { afterAll, expect, test } from 'vitest'
import { Mailbox } from '../../../infra/local/mail/mailbox.ts'
import { startMail } from '../../../infra/local/mail/start-mail.ts'

const folder = mkdtempSync(join(tmpdir(), 'latchkey-mail-'))
const mail = await startMail({ mailbox: new Mailbox(folder), port: 0 })
mail.identities.add('vendor.example')
mail.configurationSets.add('latchkey-local')
const client = new SESv2Client({
  endpoint: mail.endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  maxAttempts: 1,
})
afterAll(async () => {
  client.destroy()
  await mail.close()
  rmSync(folder, { recursive: true })
})

const message = 'From: licensing@vendor.example\r\nTo: ada@example.edu\r\nSubject: <b>Hi</b>\r\n\r\nText\r\n'
const send = (changes: object = {}, raw = message) =>
  client.send(
    new SendEmailCommand({
      FromEmailAddress: 'Licensing <licensing@vendor.example>',
      Destination: { ToAddresses: ['ada@example.edu'] },
      Content: { Raw: { Data: Buffer.from(raw) } },
      ConfigurationSetName: 'latchkey-local',
      ...changes,
    }),
  )

test.each<[string, object, string]>([
  ['a sender that is not verified', { FromEmailAddress: 'eve@example.org' }, 'MessageRejected'],
  ['a configuration set that is not there', { ConfigurationSetName: 'other' }, 'NotFoundException'],
  ['a tag with other characters', { EmailTags: [{ Name: 'owner', Value: 'a b' }] }, 'BadRequestException'],
  [
    'more than 50 recipients',
    { Destination: { ToAddresses: Array.from({ length: 51 }, (_, one) => `a${one}@example.edu`) } },
    'BadRequestException',
  ],
])('refuses %s, as SES does', async (_, changes, name) => {
  await expect(send(changes)).rejects.toMatchObject({ name })
  expect(mail.mailbox.names()).toEqual([])
})

test('takes a mail as a file, and shows it, whatever is in it', async () => {
  const { MessageId } = await send()
  expect(MessageId).toMatch(/^[0-9a-f-]{36}$/)
  const [name = ''] = mail.mailbox.names()
  expect(mail.mailbox.read(name)?.toString()).toBe(message)
  const list = await fetch(mail.endpoint)
  expect(await list.text()).toContain('&lt;b&gt;Hi&lt;/b&gt;')
  expect(list.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect((await fetch(`${mail.endpoint}/mails/${name}`)).status).toBe(200)
  expect((await fetch(`${mail.endpoint}/mails/..%2f..%2fetc%2fpasswd/source`)).status).toBe(404)
})
