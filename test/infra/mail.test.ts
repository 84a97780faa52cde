import { beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { readStage } from '../../infra/stage.ts'
import { onlyOne, propertiesOf, resourcesOf, type Template, templateOf } from './template.ts'

const from = 'Licensing <licensing@vendor.example>'
let ses: Template
let smtp: Template
let none: Template
beforeAll(async () => {
  const stage = readStage('prod')
  const server = { host: 'mail.vendor.example', port: 587, secure: false }
  ;[ses, smtp, none] = await Promise.all([
    templateOf({ ...stage, mailFrom: from, publicUrl: 'https://licensing.vendor.example' }),
    templateOf({ ...stage, mailFrom: from, smtp: server }),
    templateOf(stage),
  ])
})

const Lambda = z.object({
  Environment: z.object({ Variables: z.object({ MAIL: z.string(), PUBLIC_URL: z.unknown() }).partial() }),
})
const mailOf = (template: Template) =>
  propertiesOf(template, 'AWS::Lambda::Function', Lambda)
    .map(({ Environment }) => Environment.Variables)
    .filter(({ MAIL }) => MAIL !== undefined)
    .map(({ MAIL = '', PUBLIC_URL }) => ({ mail: JSON.parse(MAIL), PUBLIC_URL }))

const sending = (template: Template) =>
  [...resourcesOf(template, 'AWS::IAM::Policy').values()]
    .map((policy) => JSON.stringify(policy))
    .filter((text) => text.includes('ses:'))

test('one function sends, by SES, from the stage’s address alone', () => {
  expect(mailOf(ses)).toEqual([
    {
      mail: { transport: 'ses', from, configurationSet: 'latchkey-prod' },
      PUBLIC_URL: 'https://licensing.vendor.example',
    },
  ])
  const [policy = '', ...others] = sending(ses)
  expect(others).toEqual([])
  expect(policy).toContain('"ses:FromAddress":"licensing@vendor.example"')
  // SES refuses a whole message (`Content.Raw`) to who may not SendRawEmail, though it is sent by SendEmail.
  expect(policy.match(/"ses:\w+"/g)).toEqual(['"ses:SendEmail"', '"ses:SendRawEmail"', '"ses:FromAddress"'])
  expect(policy).toContain(':identity/vendor.example')
  expect(policy).toContain(':configuration-set/latchkey-prod')
})

test('what comes back is told the function, by a rule of its own configuration set, and is not lost', () => {
  expect(onlyOne(ses, 'AWS::SES::EmailIdentity').Properties).toMatchObject({
    EmailIdentity: 'vendor.example',
  })
  // The account's list would keep an address that a tenant has resumed.
  expect(onlyOne(ses, 'AWS::SES::ConfigurationSet').Properties).toMatchObject({
    SuppressionOptions: { SuppressedReasons: [] },
  })
  const destination = onlyOne(ses, 'AWS::SES::ConfigurationSetEventDestination').Properties
  expect(destination).toMatchObject({
    ConfigurationSetName: 'latchkey-prod',
    EventDestination: { MatchingEventTypes: ['BOUNCE', 'COMPLAINT'], Enabled: true },
  })
  const { Properties } = onlyOne(ses, 'AWS::Events::Rule')
  expect(Properties).toMatchObject({
    EventPattern: {
      source: ['aws.ses'],
      detail: { mail: { tags: { 'ses:configuration-set': ['latchkey-prod'] } } },
    },
  })
  const { Targets } = z.object({ Targets: z.array(z.looseObject({})) }).parse(Properties)
  expect(Targets).toMatchObject([{ DeadLetterConfig: {} }])
})

test('a stage with a server of its own, or without mail, asks nothing of SES', () => {
  for (const template of [smtp, none]) {
    expect(sending(template)).toEqual([])
    expect(Object.values(template.Resources).filter(({ Type }) => Type.startsWith('AWS::SES::'))).toEqual([])
  }
  expect(mailOf(smtp)).toMatchObject([{ mail: { transport: 'smtp', host: 'mail.vendor.example' } }])
  expect(mailOf(none)).toMatchObject([
    { mail: null, PUBLIC_URL: { 'Fn::GetAtt': [expect.stringMatching(/^Api/), 'ApiEndpoint'] } },
  ])
})
