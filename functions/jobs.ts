/**
 * The one job table: what runs when, and what users lose when it stops. It makes the schedules, their alarms and the
 * local timers.
 */
export type Job = {
  /** The context whose function runs it. */
  readonly context: 'trust' | 'seats' | 'people' | 'scim'
  readonly everyMinutes: number
  readonly purpose: string
  /** One sentence: what users lose while it does not run. It is the alarm's text. */
  readonly errorImpact: string
}

export const jobs = {
  validateLicenses: {
    context: 'trust',
    everyMinutes: 60,
    purpose:
      'Holds every license against its signature and its dates and records what changed since the last run.',
    errorImpact:
      'Licenses that expired, entered grace or were tampered with are still refused at use, but nobody is told of it.',
  },
  serveSeatQueues: {
    context: 'seats',
    everyMinutes: 5,
    purpose: 'Gives seats that a new, renewed or reinstated license brought to those who wait for them.',
    errorImpact:
      'People who wait for a seat get none from a license that was bought for them, until somebody frees a seat.',
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
  runBulkChanges: {
    context: 'people',
    everyMinutes: 1,
    purpose: 'Goes on with bulk changes of people that are too large for one request.',
    errorImpact: 'Bulk changes of more than 50 people stand still until somebody continues them by hand.',
  },
} as const satisfies Readonly<Record<string, Job>>

export type JobName = keyof typeof jobs

/** What EventBridge Scheduler sends: which job, and for when. */
export type JobInput = { job: string; scheduledAt: string }
