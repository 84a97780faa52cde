import { describe, expect, test } from 'vitest'
import { LocalStackError } from '../../../infra/local/errors.ts'
import { type Identity, resolve } from '../../../infra/local/template/resolve.ts'

const identities = new Map<string, Identity>([
  ['Table', { ref: 'latchkey-Table', attributes: { Arn: 'arn:table' } }],
  ['Key', { ref: 'key-1', attributes: { Arn: 'arn:key', 'Nested.Name': 'nested' } }],
])
const references = { identities, parameters: { BootstrapVersion: '/cdk-bootstrap/version' } }

test.each([
  [
    'plain values',
    { text: 'a', number: 1, list: [true, null] },
    { text: 'a', number: 1, list: [true, null] },
  ],
  ['Ref to a resource', { Ref: 'Table' }, 'latchkey-Table'],
  ['Ref to a parameter', { Ref: 'BootstrapVersion' }, '/cdk-bootstrap/version'],
  ['Ref to the region', { Ref: 'AWS::Region' }, 'us-east-1'],
  ['Ref to the account', { Ref: 'AWS::AccountId' }, '000000000000'],
  ['Ref to the partition', { Ref: 'AWS::Partition' }, 'aws'],
  ['Ref to the URL suffix', { Ref: 'AWS::URLSuffix' }, 'amazonaws.com'],
  ['Ref to the stack', { Ref: 'AWS::StackName' }, 'latchkey'],
  ['no value in an object', { a: 1, b: { Ref: 'AWS::NoValue' } }, { a: 1 }],
  ['no value in a list', [1, { Ref: 'AWS::NoValue' }], [1]],
  ['GetAtt as a list', { 'Fn::GetAtt': ['Table', 'Arn'] }, 'arn:table'],
  ['GetAtt as a path', { 'Fn::GetAtt': 'Key.Nested.Name' }, 'nested'],
  ['Join', { 'Fn::Join': [',', [{ Ref: 'Key' }, 'b', 3]] }, 'key-1,b,3'],
  ['Join of a list that is computed', { 'Fn::Join': ['-', { 'Fn::Split': [',', 'a,b'] }] }, 'a-b'],
  ['Split', { 'Fn::Split': ['/', 'a/b'] }, ['a', 'b']],
  ['Select', { 'Fn::Select': ['1', { 'Fn::Split': ['/', 'a/b'] }] }, 'b'],
  [
    'Sub',
    { 'Fn::Sub': `arn:\${AWS::Partition}:\${Table}:\${Key.Arn}:\${!Literal}` },
    `arn:aws:latchkey-Table:arn:key:\${Literal}`,
  ],
  [
    'Sub with variables',
    { 'Fn::Sub': [`\${name} in \${AWS::Region}`, { name: { Ref: 'Key' } }] },
    'key-1 in us-east-1',
  ],
  [
    'functions inside of values',
    { a: [{ b: { 'Fn::Join': ['', ['x', { Ref: 'Key' }]] } }] },
    { a: [{ b: 'xkey-1' }] },
  ],
  ['an object that only looks like one', { Ref: 'Key', other: 1 }, { Ref: 'Key', other: 1 }],
])('%s', (_, value, expected) => {
  expect(resolve(value, references)).toEqual(expected)
})

describe('refused with one sentence', () => {
  test.each([
    [
      'an unknown function',
      { 'Fn::ImportValue': 'x' },
      'The template uses Fn::ImportValue, which is not supported locally.',
    ],
    [
      'an unknown reference',
      { Ref: 'Nobody' },
      'The template refers to Nobody, which has no value on this machine.',
    ],
    [
      'an unknown attribute',
      { 'Fn::GetAtt': ['Table', 'StreamArn'] },
      'The template refers to Table.StreamArn, which has no value on this machine.',
    ],
    [
      'an unknown name in Sub',
      { 'Fn::Sub': `\${Nobody}` },
      'The template refers to Nobody, which has no value on this machine.',
    ],
    [
      'an item that is not there',
      { 'Fn::Select': [2, ['a']] },
      "The template's Fn::Select asks for item 2, which is not there.",
    ],
    [
      'a wrong argument',
      { 'Fn::Join': ',' },
      `The template's Fn::Join has an argument that it cannot have: ",".`,
    ],
  ])('%s', (_, value, sentence) => {
    expect(() => resolve(value, references)).toThrow(new LocalStackError(sentence))
  })
})
