import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn'
import { beforeEach, expect, test } from '@jest/globals'
import { mockClient } from 'aws-sdk-client-mock'
import { workflowIngests } from '#shared/aws/workflowIngests.ts'

const mock = mockClient(SFNClient)
const arn = 'arn:aws:states:eu-central-1:111122223333:stateMachine:LargeIngest'
const large = workflowIngests(arn, 100, new SFNClient({ region: 'eu-central-1' }))
const upload = { key: 'd/x.bam', size: 200, etag: 'e1', modified: new Date('2026-11-21T12:00:00Z') }
const exists = () => new ExecutionAlreadyExists({ message: 'there', $metadata: {} })
beforeEach(() => {
  mock.reset()
})

const started = () => mock.commandCalls(StartExecutionCommand).map(c => c.args[0].input)

test('one version of an upload has one name, another one another', async () => {
  mock.on(StartExecutionCommand).resolves({})
  await large.start(upload)
  await large.start(upload)
  await large.start({ ...upload, etag: 'e2' })
  await large.start({ ...upload, modified: new Date() })
  const names = started().map(input => input.name!)
  expect(names[0]).toBe(names[1])
  expect(new Set(names).size).toBe(3)
  for (const name of names) expect(name).toMatch(/^[0-9a-f]{32}-1$/)
  expect(started()[0]).toMatchObject({ stateMachineArn: arn, input: '{"key":"d/x.bam","etag":"e1"}' })
})

test('an execution that is still running is left alone', async () => {
  mock.on(StartExecutionCommand).rejects(exists())
  mock.on(DescribeExecutionCommand).resolves({ status: 'RUNNING' })
  await large.start(upload)
  expect(started()).toHaveLength(1)
  const [described] = mock.commandCalls(DescribeExecutionCommand)
  expect(described!.args[0].input.executionArn).toBe(
    `arn:aws:states:eu-central-1:111122223333:execution:LargeIngest:${started()[0]!.name}`,
  )
})

test.each(['FAILED', 'TIMED_OUT', 'ABORTED', 'SUCCEEDED'] as const)(
  'one that ended (%s) is followed by the next',
  async status => {
    mock.on(StartExecutionCommand).rejectsOnce(exists()).rejectsOnce(exists()).resolves({})
    mock.on(DescribeExecutionCommand).resolves({ status })
    await large.start(upload)
    expect(started().map(input => input.name!.slice(33))).toEqual(['1', '2', '3'])
  },
)

test('an outage is an error, which the event is sent again for', async () => {
  mock.on(StartExecutionCommand).rejects(new Error('secret detail'))
  await expect(large.start(upload)).rejects.toMatchObject({
    code: 'WORKFLOW_UNAVAILABLE',
    message: expect.not.stringContaining('secret'),
  })
})
