import type { Instant } from '../../platform/time.ts'
import { key, part } from './key.ts'

/** That something becomes due, by kind and whose it is. */
export const timerKey = (kind: string, subject: readonly string[]) =>
  key(['TIMER', kind, ...subject], ['TIMER'])
/** Timers of a kind by when they are due, in shards. */
export const timersOf = (kind: string, shard: number) => `TIMERS#${part(kind)}#${shard}`
export const runKey = (job: string, scheduledAt: Instant) => key(['JOB', job], [scheduledAt])
/** When each job was last brought to its end: read together. */
export const LAST_SUCCESSES = 'JOBS#LAST-SUCCESS'
export const lastSuccessKey = (job: string) => key(['JOBS', 'LAST-SUCCESS'], [job])
export const KIND = {
  products: 'PRODUCTS',
  plans: 'PLANS',
  tenants: 'TENANTS',
  licenses: 'LICENSES',
  transfers: 'TRANSFERS',
  tokens: 'TOKENS',
  /** Pools of seats that somebody waits for. */
  seatQueues: 'SEAT-QUEUES',
  /** Bulk changes that are under way. */
  bulks: 'BULKS',
  /** Timers whose work failed too often. */
  setAsideTimers: 'SET-ASIDE-TIMERS',
  /** Groups whose change has not reached everybody in them. */
  spreadingGroups: 'SPREADING-GROUPS',
} as const
