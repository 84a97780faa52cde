import { describe, expect, test } from 'vitest'
import { readStage } from '../../infra/stage.ts'
import { checkedTemplateOf, resourcesOf } from './template.ts'

// Throws with the report when a rule of cdk-nag's AwsSolutions or Serverless pack, or of CloudFormation's own
// schemas, finds what is not acknowledged. `npm run synth` does the same for the stage dev, with the real bundles.
// Loading the rules takes seconds on a busy machine.
describe('no open finding of cdk-nag and CloudFormation', () => {
  test('in stage prod, with everything a stage can ask for', async () => {
    const stage = {
      ...readStage('prod'),
      // As many as there can be; the CDK refuses more resources than CloudFormation takes.
      signingKeys: 12,
      alarmEmail: 'on-call@vendor.example',
      mailFrom: 'Licensing <licensing@vendor.example>',
      oidcIssuers: [
        {
          issuer: 'https://login.vendor.example',
          audience: 'latchkey',
          roleClaim: 'roles',
          tenantClaim: 'tenant',
          roles: { staff: 'vendor:admin' },
        },
      ],
    }
    const template = await checkedTemplateOf(stage)
    // The CDK makes one of what does not fit into a role's own policies any more (10,240 characters, IAM quotas).
    expect(resourcesOf(template, 'AWS::IAM::ManagedPolicy').size).toBe(0)
  })
})
