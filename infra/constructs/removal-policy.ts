import { RemovalPolicy } from 'aws-cdk-lib'
import type { Stage } from '../stage.ts'

/** What happens to data when its stack is deleted. */
export function removalPolicyOf(stage: Stage): RemovalPolicy {
  return stage.protect ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY
}
