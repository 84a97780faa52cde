import { PolicyStatement } from 'aws-cdk-lib/aws-iam'

/** @param stringEquals condition keys and the one value that each has to have */
export function allow(
  actions: readonly string[],
  resources: readonly string[],
  stringEquals?: Readonly<Record<string, string>>,
): PolicyStatement {
  return new PolicyStatement({
    actions: [...actions],
    resources: [...resources],
    ...(stringEquals && { conditions: { StringEquals: stringEquals } }),
  })
}
