import { CfnOutput, Stack } from 'aws-cdk-lib'
import { Rule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets'
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
import {
  CfnConfigurationSet,
  CfnConfigurationSetEventDestination,
  CfnEmailIdentity,
} from 'aws-cdk-lib/aws-ses'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { addressIn } from '../../shared/domain/email.ts'
import type { MailSettings } from '../../shared/platform/config/mail-environment.ts'
import type { Stage } from '../stage.ts'

/** Of what mail comes from. */
export const domainOf = (from: string): string => addressIn(from).replace(/^.*@/, '')

const configurationSetOf = ({ name }: Stage) => `latchkey-${name}`

/** How the stage sends mail; undefined if it sends none. */
export function mailSettings(stage: Stage): MailSettings | undefined {
  const { mailFrom: from, smtp } = stage
  if (from === undefined) return undefined
  if (smtp !== undefined) return { transport: 'smtp', from, ...smtp }
  return { transport: 'ses', from, configurationSet: configurationSetOf(stage) }
}

/** What SES tells, and under which name EventBridge tells it (SES developer guide, "Monitoring events in EventBridge"). */
const FEEDBACK = { BOUNCE: 'Email Bounced', COMPLAINT: 'Email Complaint Received' } as const

/**
 * Sending by SES: the domain that mails come from, and the way of bounces and complaints back to the function that sends.
 * The records that the domain needs in DNS are outputs; until they are there SES refuses the mails, which then wait.
 */
export function createMail(
  parent: Construct,
  stage: Stage,
  lambda: LambdaFunction,
  deadLetters?: IQueue,
): void {
  const { mailFrom } = stage
  if (mailFrom === undefined || mailSettings(stage)?.transport !== 'ses') return
  const scope = new Construct(parent, 'Mail')
  if (stage.mailIdentity === 'create') {
    const identity = new CfnEmailIdentity(scope, 'Identity', { emailIdentity: domainOf(mailFrom) })
    const records = [
      [identity.attrDkimDnsTokenName1, identity.attrDkimDnsTokenValue1],
      [identity.attrDkimDnsTokenName2, identity.attrDkimDnsTokenValue2],
      [identity.attrDkimDnsTokenName3, identity.attrDkimDnsTokenValue3],
    ]
    const value = records.map(([name, target]) => `${name} CNAME ${target}`).join('; ')
    new CfnOutput(Stack.of(scope), 'MailDns', { value, description: 'DNS records that mail needs (DKIM)' })
  }
  const name = configurationSetOf(stage)
  const configuration = new CfnConfigurationSet(scope, 'Configuration', {
    name,
    // No reason: SES's own list is of the account, and would go on swallowing mail to an address that a tenant has resumed.
    // Ours is of each tenant, and can be seen and lifted.
    suppressionOptions: { suppressedReasons: [] },
  })
  const bus = Stack.of(scope).formatArn({ service: 'events', resource: 'event-bus', resourceName: 'default' })
  const destination = new CfnConfigurationSetEventDestination(scope, 'Feedback', {
    configurationSetName: name,
    eventDestination: {
      name: 'feedback',
      enabled: true,
      matchingEventTypes: Object.keys(FEEDBACK),
      eventBridgeDestination: { eventBusArn: bus },
    },
  })
  destination.addResourceDependency(configuration)
  new Rule(scope, 'FeedbackRule', {
    description: `Latchkey ${stage.name}: mail that came back, and complaints`,
    eventPattern: {
      source: ['aws.ses'],
      detailType: Object.values(FEEDBACK),
      detail: { mail: { tags: { 'ses:configuration-set': [name] } } },
    },
    targets: [new LambdaTarget(lambda, deadLetters && { deadLetterQueue: deadLetters })],
  })
}
