import { LogGroup } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import type { Stage } from '../stage.ts'
import { removalPolicyOf } from './removal-policy.ts'

/** A log group that forgets after the stage's retention; Lambda's own would keep everything for ever. */
export function createLogGroup(scope: Construct, id: string, stage: Stage): LogGroup {
  return new LogGroup(scope, id, {
    retention: stage.logRetentionDays,
    removalPolicy: removalPolicyOf(stage),
  })
}
