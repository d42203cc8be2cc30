import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
  type Message,
} from '@aws-sdk/client-sqs'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { mockClient } from 'aws-sdk-client-mock'
import { listFailedIngests, redriveFailedIngests } from '#shared/aws/failedIngests.ts'

const sqs = mockClient(SQSClient)
const lambda = mockClient(LambdaClient)
const region = 'eu-central-1'
const place = {
  sqs: new SQSClient({ region }),
  lambda: new LambdaClient({ region }),
  queueUrl: 'https://queue',
  functionName: 'ingest',
}

const uploaded = (key: string) => ({
  source: 'aws.s3',
  'detail-type': 'Object Created',
  detail: { bucket: { name: 'inbox' }, object: { key, 'version-id': 'v1' } },
})
const message = (id: string, body: unknown, rest: Partial<Message> = {}): Message => ({
  MessageId: id,
  ReceiptHandle: `receipt-${id}`,
  Body: typeof body === 'string' ? body : JSON.stringify(body),
  Attributes: { SentTimestamp: '1700000000000' },
  ...rest,
})
const byLambda = (key: string, responsePayload: object | null) => ({
  version: '1.0',
  requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 3 },
  requestPayload: uploaded(key),
  responsePayload,
})

const waiting = [
  message(
    'a',
    byLambda('study/a.bam', { errorType: 'HtsvaultError', errorMessage: 'S3 did not answer', trace: ['at'] }),
  ),
  message('b', byLambda('study/b.bam', { errorType: 'TypeError', errorMessage: 'secret-of-somebody' })),
  message('c', byLambda('study/c.bam', null)),
  message('d', uploaded('study/d.bam'), {
    MessageAttributes: {
      ERROR_CODE: { DataType: 'String', StringValue: 'NO_PERMISSIONS' },
      RETRY_ATTEMPTS: { DataType: 'Number', StringValue: '7' },
    },
  }),
  message('e', 'not json'),
]

beforeEach(() => {
  sqs.reset()
  lambda.reset()
  sqs
    .on(ReceiveMessageCommand)
    .resolvesOnce({ Messages: waiting.slice(0, 3) })
    .resolvesOnce({ Messages: waiting.slice(2) })
    .resolves({})
  sqs.on(ChangeMessageVisibilityBatchCommand).resolves({})
  sqs.on(DeleteMessageCommand).resolves({})
  lambda.on(InvokeCommand).resolves({ StatusCode: 202 })
})

describe('what waits in the queue', () => {
  test('is told without what an error of somebody else says, and stays', async () => {
    const found = await listFailedIngests(place, 100)
    expect(found.map(({ key, attempts, reason }) => [key, attempts, reason])).toEqual([
      ['study/a.bam', 3, 'S3 did not answer'],
      ['study/b.bam', 3, 'TypeError'],
      ['study/c.bam', 3, 'unknown: the function said nothing'],
      ['study/d.bam', 7, 'EventBridge could not deliver it: NO_PERMISSIONS'],
      [undefined, undefined, 'no event of an upload'],
    ])
    expect(found[0]!.failed.toISOString()).toBe('2023-11-14T22:13:20.000Z')
    expect(sqs.commandCalls(DeleteMessageCommand)).toEqual([])
    const [released] = sqs.commandCalls(ChangeMessageVisibilityBatchCommand)
    expect(released!.args[0].input.Entries!.map(e => [e.ReceiptHandle, e.VisibilityTimeout])).toEqual(
      ['a', 'b', 'c', 'd', 'e'].map(id => [`receipt-${id}`, 0]),
    )
  })
})

describe('redriving', () => {
  test('calls the ingest with the event as S3 sent it, and then takes it off the queue', async () => {
    const told: (string | undefined)[] = []
    expect(await redriveFailedIngests(place, f => told.push(f.key))).toEqual({ again: 4, unknown: 1 })
    expect(told).toEqual(['study/a.bam', 'study/b.bam', 'study/c.bam', 'study/d.bam'])
    const calls = lambda.commandCalls(InvokeCommand).map(call => call.args[0].input)
    expect(calls.map(c => [c.FunctionName, c.InvocationType])).toEqual(Array(4).fill(['ingest', 'Event']))
    expect(calls.map(c => JSON.parse(new TextDecoder().decode(c.Payload as Uint8Array)) as unknown)).toEqual(
      told.map(key => uploaded(key!)),
    )
    expect(sqs.commandCalls(DeleteMessageCommand).map(c => c.args[0].input.ReceiptHandle)).toEqual(
      ['a', 'b', 'c', 'd'].map(id => `receipt-${id}`),
    )
  })

  test('where the ingest cannot be called, the event stays', async () => {
    lambda.on(InvokeCommand).rejects(new Error('no'))
    await expect(redriveFailedIngests(place, () => undefined)).rejects.toMatchObject({
      code: 'QUEUE_UNAVAILABLE',
    })
    expect(sqs.commandCalls(DeleteMessageCommand)).toEqual([])
  })

  test('an outage of the queue is said', async () => {
    sqs.on(ReceiveMessageCommand).rejects(Object.assign(new Error('x'), { name: 'AccessDenied' }))
    await expect(listFailedIngests(place, 10)).rejects.toThrow(/AccessDenied/)
  })
})
