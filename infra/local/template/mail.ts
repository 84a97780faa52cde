import * as z from 'zod'
import { addressIn } from '../../../shared/domain/email.ts'
import { readClock } from '../../../shared/platform/time.ts'
import type { SentEmail } from '../mail/ses.ts'
import { arn, type Handler, propertiesOf, type Site, unsupported } from './site.ts'

const IdentityProperties = z.object({ EmailIdentity: z.string() })
const ConfigurationProperties = z.object({ Name: z.string() })
const RuleProperties = z.object({
  EventPattern: z
    .object({ source: z.array(z.string()).default([]), 'detail-type': z.array(z.string()).default([]) })
    .optional(),
  Targets: z.array(z.object({ Arn: z.string() })).default([]),
})

/** AWS::SES::EmailIdentity: mail may come from there, without a look at its DNS. */
export const emailIdentity: Handler = (logicalId, resource, site) => {
  const { EmailIdentity } = propertiesOf(IdentityProperties, logicalId, resource, site)
  site.mail.identities.add(EmailIdentity)
  const records = [1, 2, 3].flatMap((number) => [
    [`DkimDNSTokenName${number}`, `local${number}._domainkey.${EmailIdentity}`],
    [`DkimDNSTokenValue${number}`, `local${number}.dkim.amazonses.com`],
  ])
  return { ref: EmailIdentity, attributes: Object.fromEntries(records) }
}

/** AWS::SES::ConfigurationSet: a name. */
export const configurationSet: Handler = (logicalId, resource, site) => {
  const { Name } = propertiesOf(ConfigurationProperties, logicalId, resource, site)
  site.mail.configurationSets.add(Name)
  return { ref: Name, attributes: {} }
}

/** The mailbox simulator of SES (developer guide): what is sent there comes back, or is complained of. */
const SIMULATOR: Readonly<Record<string, 'Bounce' | 'Complaint'>> = {
  'bounce@simulator.amazonses.com': 'Bounce',
  'complaint@simulator.amazonses.com': 'Complaint',
}

/** AWS::Events::Rule: of what SES tells alone, which here comes from its simulator's addresses. */
export const eventRule: Handler = (logicalId, resource, site) => {
  const { EventPattern, Targets } = propertiesOf(RuleProperties, logicalId, resource, site)
  if (EventPattern?.source.includes('aws.ses')) tellFeedback(site, Targets)
  else unsupported(site, logicalId, resource, 'of events that are no mail’s')
  return { ref: logicalId, attributes: { Arn: arn('events', `rule/${logicalId}`) } }
}

function tellFeedback(site: Site, targets: readonly { readonly Arn: string }[]): void {
  site.mail.onSent((messageId, sent) => {
    for (const address of sent.Destination.ToAddresses.map(addressIn)) {
      const eventType = SIMULATOR[address]
      if (eventType === undefined) continue
      const event = JSON.stringify(feedback(eventType, address, messageId, sent))
      for (const { Arn } of targets)
        void site.functions
          .get(Arn)
          ?.invoke(event)
          .catch(() => site.print('mail', `what became of the mail to ${address} could not be told`))
    }
  })
}

function feedback(eventType: 'Bounce' | 'Complaint', address: string, messageId: string, sent: SentEmail) {
  const tags = Object.fromEntries((sent.EmailTags ?? []).map(({ Name, Value }) => [Name, [Value]]))
  const recipients = [{ emailAddress: address, diagnosticCode: 'smtp; 550 5.1.1 user unknown' }]
  return {
    id: messageId,
    source: 'aws.ses',
    'detail-type': eventType === 'Bounce' ? 'Email Bounced' : 'Email Complaint Received',
    time: readClock(),
    detail: {
      eventType,
      mail: { messageId, tags },
      ...(eventType === 'Bounce'
        ? { bounce: { bounceType: 'Permanent', bouncedRecipients: recipients } }
        : { complaint: { complainedRecipients: recipients } }),
    },
  }
}
