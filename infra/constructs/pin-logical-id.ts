import { CfnElement } from 'aws-cdk-lib'
import type { Construct } from 'constructs'

/**
 * Fixes the name of a resource in the template. CDK derives it from the place in the construct tree, so moving code
 * would replace the resource: harmless for a function, the loss of all licenses for a table or a key.
 */
export function pinLogicalId(construct: Construct, logicalId: string): void {
  const resource = construct.node.defaultChild
  if (!(resource instanceof CfnElement))
    throw new TypeError(`${construct.node.path} has no resource of its own`)
  resource.overrideLogicalId(logicalId)
}
