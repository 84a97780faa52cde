import type { AboutOf } from '../../../shared/domain/notice.ts'
import type { Format, Passage, Words } from './words.ts'

const DAYS = { one: 'day', other: 'days' }
type Deadline = AboutOf<'expiry-reminder' | 'trial-reminder' | 'maintenance-reminder'>

const soon = (days: number, format: Format) =>
  days <= 0 ? 'today' : days === 1 ? 'tomorrow' : `in ${format.count(days, DAYS)}`

function ends(what: string, about: Deadline, format: Format): Passage {
  const { endsAt, graceEndsAt, phase, renews } = about
  const facts: [string, string][] = [
    ['Product', about.product],
    ['Customer', about.customer],
    ['License', about.licenseId],
    [phase === 'ahead' ? 'Ends' : 'Ended', format.moment(endsAt)],
    ...(graceEndsAt ? [['Works until', format.moment(graceEndsAt)] satisfies [string, string]] : []),
  ]
  const renew = renews ? 'Renew it in time, and nothing changes for those who use it.' : ''
  if (phase === 'ahead') {
    const when = soon(format.daysUntil(endsAt), format)
    return {
      subject: `${about.product}: ${what} ends ${when}`,
      lines: [`The ${what} for ${about.product} ends ${when}, on ${format.day(endsAt)}.`, renew].filter(
        Boolean,
      ),
      facts,
    }
  }
  if (phase === 'grace' && graceEndsAt)
    return {
      subject: `${about.product}: ${what} has ended, grace until ${format.day(graceEndsAt)}`,
      lines: [
        `The ${what} for ${about.product} ended on ${format.day(endsAt)}. It still works until ${format.day(graceEndsAt)}; then it stops.`,
        renews ? 'Renew it now to go on without an interruption.' : '',
      ].filter(Boolean),
      facts,
    }
  return {
    subject: `${about.product}: ${what} has ended`,
    lines: [
      phase === 'over'
        ? `The grace period of the ${what} for ${about.product} is over. It does not work any more.`
        : `The ${what} for ${about.product} ended on ${format.day(endsAt)}.`,
    ],
    facts,
  }
}

const share = (used: number, capacity: number | undefined, format: Format) =>
  capacity === undefined ? format.number(used) : `${format.number(used)} of ${format.number(capacity)}`

const CHANGES = {
  suspended: ['was suspended', 'It does not work until it is reinstated.'],
  reinstated: ['was reinstated', 'It works again.'],
  revoked: ['was revoked', 'It does not work any more, and this is final.'],
  renewed: ['was renewed', 'There is nothing for you to do.'],
  transferred: ['was transferred', 'It belongs to another tenant now.'],
} as const

export const english: Words = {
  passages: {
    'expiry-reminder': (about, format) => ends('license', about, format),
    'trial-reminder': (about, format) => ends('trial', about, format),
    'maintenance-reminder': (about, format) => {
      const passage = ends('maintenance', about, format)
      return {
        ...passage,
        lines: [
          passage.lines[0] ?? '',
          'What is released later is not covered; what you have goes on working.',
        ],
      }
    },
    'license-status': ({ product, change, licenseId, endsAt, reason, at }, format) => {
      const [what, then] = CHANGES[change]
      return {
        subject: `${product}: license ${what}`,
        lines: [`The license for ${product} ${what}. ${then}`],
        facts: [
          ['License', licenseId],
          ['When', format.moment(at)],
          ...(endsAt && change === 'renewed' ? [['Ends', format.day(endsAt)] as const] : []),
          ...(reason ? [['Reason', reason] as const] : []),
        ],
      }
    },
    capacity: ({ product, metric, used, capacity, threshold }, format) => ({
      subject: `${product}: ${threshold} % of ${metric} in use`,
      lines: [
        threshold >= 100
          ? `All ${metric} of ${product} are in use. Further ones are refused until some are freed or added.`
          : `${threshold} % of the ${metric} of ${product} are in use.`,
      ],
      facts: [['In use', share(used, capacity, format)]],
    }),
    'over-allocation': ({ product, metric, used, capacity, state, cureUntil }, format) => ({
      subject:
        state === 'cured'
          ? `${product}: ${metric} are within the licenses again`
          : `${product}: more ${metric} in use than licensed`,
      lines: [
        state === 'cured'
          ? `The ${metric} of ${product} in use are covered by the licenses again.`
          : `More ${metric} of ${product} are in use than the licenses give. Nothing is taken away by itself, but no further ones are given.`,
        state === 'begun' && cureUntil
          ? `Free some or add a license by ${format.day(cureUntil)}.`
          : state === 'overdue' && cureUntil
            ? `This should have been cured by ${format.day(cureUntil)}.`
            : '',
      ].filter(Boolean),
      facts: [['In use', share(used, capacity, format)]],
    }),
    integrity: ({ what, subject, detail, at }, format) => ({
      subject: `Integrity: ${subject} is not what was signed`,
      lines: [
        'Something that is stored is not what was signed. A license that was changed is not valid; nothing was repaired by itself.',
      ],
      facts: [
        ['What', what],
        ['Where', subject],
        ['Seen', format.moment(at)],
        ...(detail ? [['Detail', detail] as const] : []),
      ],
    }),
    'job-failed': ({ job, detail, at }, format) => ({
      subject: `The job ${job} gave something up`,
      lines: [
        `Something that the job ${job} had to do failed too often and was set aside. It is tried again once somebody says so: GET /v1/jobs/dead has it.`,
      ],
      facts: [['When', format.moment(at)], ...(detail ? [['Detail', detail] as const] : [])],
    }),
    'webhook-disabled': ({ endpoint, reason, at }, format) => ({
      subject: 'A webhook endpoint was disabled',
      lines: [
        'A webhook endpoint kept failing, or said that it wants no more messages, so it was disabled. Mend it and enable it again: what waits for it is sent then, and what was given up can be replayed.',
      ],
      facts: [
        ['Endpoint', endpoint],
        ['When', format.moment(at)],
        ...(reason ? [['Reason', reason] as const] : []),
      ],
    }),
    'seat-request': ({ person, product, module, reason, at }, format) => ({
      subject: `${person} asks for a seat of ${product}`,
      lines: [`${person} asks for a seat of ${product} (${module}).`],
      facts: [['When', format.moment(at)], ...(reason ? [['What for', reason] as const] : [])],
    }),
    'seat-reclaim': ({ person, product, at }, format) => ({
      subject: `Your seat of ${product} is taken back ${soon(format.daysUntil(at), format)}`,
      lines: [
        `${person} has a seat of ${product} that seems not to be needed. It goes to somebody else on ${format.day(at)}.`,
        'If it is still needed, keep it: using the product is enough, or this link.',
      ],
      facts: [['Taken back', format.moment(at)]],
      action: 'Keep the seat',
    }),
    'mail-undeliverable': ({ address, why, detail, at }, format) => ({
      subject: `Mail does not reach ${address}`,
      lines: [
        why === 'bounce'
          ? `Mail to ${address} came back. Nothing is sent there any more.`
          : `The owner of ${address} reported our mail as unwanted. Nothing is sent there any more.`,
        'Put another contact in its place, or lift the block once the address works.',
      ],
      facts: [['When', format.moment(at)], ...(detail ? [['Detail', detail] as const] : [])],
    }),
  },
  kinds: {
    'expiry-reminder': 'ends of licenses',
    'trial-reminder': 'ends of trials',
    'maintenance-reminder': 'ends of maintenance',
    'license-status': 'changes of licenses',
    capacity: 'capacity',
    'over-allocation': 'over-allocation',
    integrity: 'integrity',
    'job-failed': 'failed jobs',
    'webhook-disabled': 'disabled webhooks',
    'seat-request': 'requests for seats',
    'seat-reclaim': 'seats that are taken back',
    'mail-undeliverable': 'mail that does not arrive',
  },
  digestSubject: (count) => `${count} notices about your licenses`,
  greeting: (name) => `Hello ${name},`,
  digestLead: (count) => `there are ${count} things to know.`,
  repeated:
    'You may have had this mail before: we could not see whether it arrived, and rather send it twice.',
  because: (owner) => `You get this as a contact of ${owner}.`,
  zone: (timeZone) => `Dates are in the time zone ${timeZone}.`,
  needed:
    'Without such notices licenses or seats could stop working unexpectedly, so they cannot be unsubscribed from.',
  unsubscribe: 'Unsubscribe from notices of this kind',
  linkHint: 'If the button does not work, copy this address:',
  page: {
    title: 'Notices by mail',
    ask: (email, kinds) => `Send no more notices about ${kinds.join(', ')} to ${email}?`,
    confirm: 'Unsubscribe',
    all: 'Unsubscribe from all optional notices',
    done: (email, kinds) => `${email} gets no more notices about ${kinds.join(', ')}.`,
    needed: 'Notices without which licenses may stop working unexpectedly are still sent.',
    again: 'Subscribe again',
    resumed: (email) => `${email} gets these notices again.`,
  },
}
