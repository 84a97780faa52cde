import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import * as z from 'zod'
import { notificationsRoutes } from '../../functions/notifications/routes.ts'
import { tenantsRoutes } from '../../functions/tenants/routes.ts'
import { trustRoutes } from '../../functions/trust/routes.ts'
import { usageRoutes } from '../../functions/usage/routes.ts'
import { readClock } from '../../shared/platform/time.ts'
import { createClient } from '../local/demo/client.ts'
import type { Ending } from '../local/demo/story.ts'
import type { Narrator, World } from '../local/demo/tale.ts'
import { askAws } from './ask-aws.ts'
import { runSchedules } from './schedules.ts'

const Mail = z.object({ To: z.array(z.string()), Subject: z.string(), BodyText: z.string() })
const Sent = z.object({ messages: z.record(z.string(), z.array(Mail)) })

/** The stream tells of what happened, and then the job sends. */
const TRIES = 30

/**
 * Of the tenant's 110 users 105 are configured now. Its owner is told so, and all else that happened in the story, by mails
 * that the deployed function sends through SES. They are read back from there, and their links are opened.
 */
export async function readMails(
  endpoint: string,
  { url, token }: World,
  { tenantId, active }: Pick<Ending, 'tenantId' | 'active'>,
  narrator: Narrator,
): Promise<void> {
  const client = createClient(url)
  const params = { tenantId }
  const { contacts } = await client.ask(tenantsRoutes.getTenant, `Bearer ${token}`, { params })
  const recipient = contacts[0]?.email ?? ''
  // Else it waits for others, to be one mail with them.
  const atOnce = { params, body: { digestMinutes: 0 }, revision: 1 }
  await client.ask(notificationsRoutes.editNotifications, `Bearer ${token}`, atOnce)
  await client.ask(usageRoutes.recordUsage, `License ${active.key}`, {
    body: { records: [{ metric: 'users', value: 105 }] },
  })
  await client.ask(trustRoutes.runValidation, `Bearer ${token}`, { params })
  let mails: z.infer<typeof Mail>[] = []
  let links: string[] = []
  for (let tries = 0; links.length === 0 && tries < TRIES; tries += 1) {
    if (tries > 0) await wait(1_000)
    await runSchedules(endpoint, readClock(), 'sendNotices')
    const { messages } = Sent.parse(await (await askAws(endpoint, 'ses', '/_ministack/ses/messages')).json())
    mails = Object.values(messages)
      .flat()
      .filter(({ To }) => To.includes(recipient))
    // What has to be told cannot be unsubscribed from, and has no link.
    links = mails.flatMap(({ BodyText }) => BodyText.match(/https?:\/\/\S+\/v1\/\S+/g) ?? [])
  }
  assert.ok(links.length > 0, `no link in the mails to ${recipient}: ${JSON.stringify(mails)}`)
  for (const link of links) {
    const { pathname, search } = new URL(link)
    const page = await fetch(`${url}${pathname}${search}`)
    assert.equal(page.status, 200, link)
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/)
  }
  for (const { Subject } of mails) narrator.say('mail', Subject)
  narrator.say('links', `${links.length} to unsubscribe by, which open`)
}
