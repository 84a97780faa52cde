/**
 * The one job table: what runs when, and what users lose when it stops. It makes the schedules, their alarms and the
 * local timers.
 */
export type Job = {
  /** The context whose function runs it. */
  readonly context:
    | 'licenses'
    | 'trust'
    | 'seats'
    | 'people'
    | 'scim'
    | 'webhooks'
    | 'audit'
    | 'notifications'
  readonly everyMinutes: number
  readonly purpose: string
  /** One sentence: what users lose while it does not run. It is the alarm's text. */
  readonly errorImpact: string
}

export const jobs = {
  executeTransfers: {
    context: 'licenses',
    everyMinutes: 1,
    purpose: 'Moves the licenses of transfers that both sides have approved.',
    errorImpact:
      'Licenses whose transfer was approved stay with their old holder, and the new one has none, until it runs.',
  },
  validateLicenses: {
    context: 'trust',
    everyMinutes: 5,
    purpose:
      'Validates the licenses of the tenants whose turn it is and tells what changed, what is not as it was signed, and which pools are nearly used up.',
    errorImpact:
      'Licenses that were tampered with are still refused at use, but nobody is told of it, nor of capacity that runs out.',
  },
  noteTransitions: {
    context: 'trust',
    everyMinutes: 1,
    purpose: 'Tells of licenses that start, expire, or whose grace ends, soon after they do.',
    errorImpact:
      'Licenses still start and end on time, but people and webhooks hear of it only with the next validation.',
  },
  scanIntegrity: {
    context: 'trust',
    everyMinutes: 15,
    purpose:
      'Holds all that a tenant has of licenses against what was signed and recorded, each tenant once a day.',
    errorImpact:
      'Somebody who changes, removes or puts back rows behind the API is not found out unless a tenant has a scan made.',
  },
  watchTenants: {
    context: 'trust',
    everyMinutes: 1_440,
    purpose: 'Sees to it that every tenant with licenses is validated and scanned.',
    errorImpact:
      'Tenants whose first license came while the consumer of the stream was down are not validated by schedule.',
  },
  serveSeatQueues: {
    context: 'seats',
    everyMinutes: 5,
    purpose:
      'Gives seats to those who wait for them, beyond the first ten, from a license that begins, or as they may have one now.',
    errorImpact:
      'Of many who wait for seats only the first ten get one from a license that was bought, and nobody from one that begins by its date.',
  },
  reclaimSeats: {
    context: 'seats',
    everyMinutes: 60,
    purpose:
      'Tells people whose seats are idle by the rules of their tenant, and takes back what nobody kept.',
    errorImpact:
      'Idle seats are not taken back and nobody is told of it; who waits for one waits longer, and nobody loses one.',
  },
  spreadGroups: {
    context: 'scim',
    everyMinutes: 5,
    purpose: 'Gives people what their groups give now, where a request had no time for all of them.',
    errorImpact:
      'People in large groups keep roles and seats that their group no longer gives, or wait for new ones.',
  },
  publishCheckpoints: {
    context: 'audit',
    everyMinutes: 5,
    purpose:
      'Signs the checkpoint of every audit log that grew, and puts it into the public log of all checkpoints.',
    errorImpact:
      'What happened cannot be proven by a signed checkpoint until somebody asks for one; histories could be told apart later.',
  },
  checkLogs: {
    context: 'audit',
    everyMinutes: 60,
    purpose:
      "Holds what came into the vendor's audit log, and the one of all checkpoints, against what was signed of them; all of them once a week.",
    errorImpact:
      "The vendor's audit log or the public log of checkpoints may have been changed behind the API: what it says proves nothing until somebody has looked at it.",
  },
  runBulkChanges: {
    context: 'people',
    everyMinutes: 1,
    purpose: 'Goes on with bulk changes of people that are too large for one request.',
    errorImpact: 'Bulk changes of more than 50 people stand still until somebody continues them by hand.',
  },
  deliverWebhooks: {
    context: 'webhooks',
    everyMinutes: 1,
    purpose: 'Sends events to webhook endpoints again that did not take them, and what nobody sent at once.',
    errorImpact:
      'Events that an endpoint did not take at the first try are not sent again until it runs; none is lost.',
  },
  reviewReminders: {
    context: 'notifications',
    everyMinutes: 1_440,
    purpose: 'Sees that every license that ends within some months has a timer for its reminders.',
    errorImpact:
      'A license whose timer was lost ends without a reminder; nothing else is lost while this does not run.',
  },
  sendNotices: {
    context: 'notifications',
    everyMinutes: 1,
    purpose:
      'Reminds of licenses that end, and sends all notices that wait as mails, several to one address as one.',
    errorImpact:
      'Nobody is told that licenses end, change or run out of capacity; what cannot be told in time is dropped.',
  },
} as const satisfies Readonly<Record<string, Job>>

export type JobName = keyof typeof jobs

/** What EventBridge Scheduler sends: which job, and for when. */
export type JobInput = { job: string; scheduledAt: string }
