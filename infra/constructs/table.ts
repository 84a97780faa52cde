import { AttributeType, BillingMode, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb'
import type { Construct } from 'constructs'
import { TABLE } from '../../shared/store/table.ts'
import type { Stage } from '../stage.ts'
import { pinLogicalId } from './pin-logical-id.ts'
import { removalPolicyOf } from './removal-policy.ts'

/** The one table, as `shared/store/table.ts` describes it. */
export function createTable(scope: Construct, stage: Stage): Table {
  const table = new Table(scope, 'Table', {
    partitionKey: text(TABLE.partitionKey),
    sortKey: text(TABLE.sortKey),
    timeToLiveAttribute: TABLE.ttl,
    billingMode: BillingMode.PAY_PER_REQUEST,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    stream: StreamViewType.NEW_AND_OLD_IMAGES,
    deletionProtection: stage.protect,
    removalPolicy: removalPolicyOf(stage),
  })
  for (const { name, partitionKey, sortKey } of TABLE.indexes) {
    table.addGlobalSecondaryIndex({
      indexName: name,
      partitionKey: text(partitionKey),
      sortKey: text(sortKey),
    })
  }
  pinLogicalId(table, 'Table')
  return table
}

const text = (name: string) => ({ name, type: AttributeType.STRING })
