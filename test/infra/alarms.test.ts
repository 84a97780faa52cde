import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { jobs } from '../../functions/jobs.ts'
import { contextNames, contextSettings } from '../../infra/contexts.ts'
import { readStage } from '../../infra/stage.ts'
import { functionsOf, propertiesOf, resourcesOf, type Template, templateOf } from './template.ts'

const Alarm = z.object({
  AlarmDescription: z.string(),
  AlarmActions: z.array(z.object({ Ref: z.string() })),
  MetricName: z.string(),
  Dimensions: z.array(z.object({ Name: z.string(), Value: z.unknown() })),
  ComparisonOperator: z.string(),
  Threshold: z.number(),
  EvaluationPeriods: z.number(),
  DatapointsToAlarm: z.number(),
  Period: z.number(),
  TreatMissingData: z.string(),
})

let template: Template
let alarms: z.infer<typeof Alarm>[]

beforeAll(async () => {
  template = await templateOf({ ...readStage('prod'), alarmEmail: 'on-call@vendor.example' })
  alarms = propertiesOf(template, 'AWS::CloudWatch::Alarm', Alarm)
})

const named = (metric: string) => alarms.filter(({ MetricName }) => MetricName === metric)

describe('alarms', () => {
  test('every alarm says what users lose, in a sentence, and then what was seen', () => {
    expect(alarms.length).toBeGreaterThan(2 * contextNames.length)
    for (const { AlarmDescription } of alarms) {
      expect(AlarmDescription).toMatch(/^[A-Z][^.]{30,}\. [A-Z].{20,}\.$/)
      // What CloudWatch takes (PutMetricAlarm, API reference).
      expect(AlarmDescription.length).toBeLessThanOrEqual(1_024)
    }
  })

  test('every alarm tells somebody', () => {
    const topics = [...resourcesOf(template, 'AWS::SNS::Topic').keys()]
    expect(topics).toHaveLength(1)
    for (const { AlarmActions } of alarms) expect(AlarmActions.map(({ Ref }) => Ref)).toEqual(topics)
    expect(
      propertiesOf(
        template,
        'AWS::SNS::Subscription',
        z.object({ Protocol: z.string(), Endpoint: z.string() }),
      ),
    ).toEqual([{ Protocol: 'email', Endpoint: 'on-call@vendor.example' }])
  })

  test.each(['Errors', 'Throttles'])('%s of every function ring with what its context is for', (metric) => {
    const rung = named(metric).map(({ Dimensions, AlarmDescription }) => [
      Dimensions[0]?.Value,
      AlarmDescription,
    ])
    expect(rung).toHaveLength(contextNames.length)
    for (const [context, { logicalId }] of functionsOf(template)) {
      const { errorImpact } = contextSettings[context]
      expect(rung).toContainEqual([{ Ref: logicalId }, expect.stringContaining(errorImpact)])
    }
  })

  test('server errors ring', () => {
    expect(named('5xx')).toMatchObject([{ Threshold: 1, TreatMissingData: 'notBreaching' }])
  })

  test('every job rings when Scheduler does not start it', () => {
    const rung = named('InvocationAttemptCount')
    expect(rung).toHaveLength(Object.keys(jobs).length)
    for (const { everyMinutes, errorImpact } of Object.values(jobs)) {
      const own = rung.find(({ AlarmDescription }) => String(AlarmDescription).startsWith(errorImpact))
      expect(own).toMatchObject({
        Dimensions: [{ Name: 'ScheduleGroup' }],
        Period: everyMinutes * 60,
        EvaluationPeriods: 2,
        ComparisonOperator: 'LessThanThreshold',
        Threshold: 1,
        TreatMissingData: 'breaching',
      })
    }
  })

  test('what is due and not done rings, whichever job does it, and not because a job comes seldom', () => {
    const files = globSync('functions/*/*.ts').filter((file) => readFileSync(file, 'utf8').includes('sweep('))
    const sweeping = files.map((file) =>
      basename(file, '.ts').replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
    )
    expect(Object.keys(jobs)).toEqual(expect.arrayContaining(sweeping))
    const own = Object.entries(jobs).filter(([name]) => sweeping.includes(name))
    const seldomest = 60 * Math.max(...own.map(([, { everyMinutes }]) => everyMinutes))
    const [late, ...others] = named('TimerLag')
    assert.ok(late)
    expect(others).toEqual([])
    // A job says at each run how late it was: up to as late as it comes, if all is well.
    expect(late.Threshold).toBeGreaterThan(1_000 * seldomest)
    expect(late.EvaluationPeriods * late.Period).toBeGreaterThanOrEqual(late.DatapointsToAlarm * seldomest)
  })

  test('every job rings when one of its runs is given up', () => {
    const rung = named('ApproximateNumberOfMessagesVisible')
    expect(rung).toHaveLength(resourcesOf(template, 'AWS::SQS::Queue').size)
    for (const alarm of rung) expect(alarm).toMatchObject({ Threshold: 1, EvaluationPeriods: 1 })
    const texts = rung.map(({ AlarmDescription }) => AlarmDescription).join(' ')
    for (const [name, { errorImpact }] of Object.entries(jobs)) {
      expect(texts).toContain(name)
      expect(texts).toContain(errorImpact)
    }
  })
})
