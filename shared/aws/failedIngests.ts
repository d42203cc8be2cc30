import { InvokeCommand } from '@aws-sdk/client-lambda'
import type { LambdaClient } from '@aws-sdk/client-lambda'
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs'
import type { Message, SQSClient } from '@aws-sdk/client-sqs'
import * as z from 'zod'
import { HtsvaultError } from '#shared/errors.ts'

/** Where events wait that the ingest failed on, and who is to have them again. */
export interface FailedIngestsPlace {
  readonly sqs: SQSClient
  readonly lambda: LambdaClient
  readonly queueUrl: string
  /** Name or ARN of the ingest function. */
  readonly functionName: string
}

/** One event that the ingest failed on. Of the error its kind, and its message where it is one of ours. */
export interface FailedIngest {
  /** `<dataset>/<name>` of the upload; absent where the message is none that this version knows. */
  readonly key: string | undefined
  readonly failed: Date
  readonly attempts: number | undefined
  readonly reason: string
}

const uploadEvent = z.looseObject({
  source: z.literal('aws.s3'),
  detail: z.looseObject({ object: z.looseObject({ key: z.string().min(1) }) }),
})

/** What Lambda writes when it gave up on an asynchronous call. */
const givenUp = z.looseObject({
  requestContext: z.looseObject({ approximateInvokeCount: z.int().optional() }),
  requestPayload: uploadEvent,
  responsePayload: z
    .looseObject({ errorType: z.string().optional(), errorMessage: z.string().optional() })
    .nullish(),
})

/** Long enough to look at what was received; what is not done with then comes back by itself. */
const lookSeconds = 120

interface Received extends FailedIngest {
  /** What the ingest is to be called with. */
  readonly event: unknown
  readonly message: Message
}

/**
 * What waits in the queue, at most `limit`; all of it stays there.
 * @throws HtsvaultError QUEUE_UNAVAILABLE
 */
export async function listFailedIngests(place: FailedIngestsPlace, limit: number): Promise<FailedIngest[]> {
  const seen: Received[] = []
  try {
    for await (const received of receiveAll(place, limit)) seen.push(received)
    return seen
  } finally {
    await release(place, seen)
  }
}

export interface Redriven {
  /** Events that the ingest has again. */
  readonly again: number
  /** Messages that are no event of an upload: they stay in the queue. */
  readonly unknown: number
}

/**
 * Gives every event in the queue to the ingest again, then takes it off the queue: a run that is killed between
 * leaves an event twice, which the ingest makes nothing of.
 *
 * SQS can move messages by itself only where another queue sent them; these came from Lambda and EventBridge.
 * @throws HtsvaultError QUEUE_UNAVAILABLE
 */
export async function redriveFailedIngests(
  place: FailedIngestsPlace,
  tell: (redriven: FailedIngest) => void,
): Promise<Redriven> {
  const unknown: Received[] = []
  let again = 0
  try {
    for await (const received of receiveAll(place)) {
      if (received.key === undefined) {
        unknown.push(received)
        continue
      }
      await place.lambda.send(
        new InvokeCommand({
          FunctionName: place.functionName,
          InvocationType: 'Event',
          Payload: new TextEncoder().encode(JSON.stringify(received.event)),
        }),
      )
      await place.sqs.send(
        new DeleteMessageCommand({
          QueueUrl: place.queueUrl,
          ReceiptHandle: received.message.ReceiptHandle,
        }),
      )
      again++
      tell(received)
    }
    return { again, unknown: unknown.length }
  } catch (error) {
    throw unavailable(error)
  } finally {
    await release(place, unknown)
  }
}

async function* receiveAll(
  { sqs, queueUrl }: FailedIngestsPlace,
  limit = Infinity,
): AsyncGenerator<Received> {
  const known = new Set<string>()
  while (known.size < limit) {
    const { Messages = [] } = await sqs
      .send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: Math.min(10, limit - known.size),
          VisibilityTimeout: lookSeconds,
          // Long polling asks every server of the queue: nothing then is nothing.
          WaitTimeSeconds: 1,
          MessageAttributeNames: ['ERROR_CODE', 'RETRY_ATTEMPTS'],
          MessageSystemAttributeNames: ['SentTimestamp'],
        }),
      )
      .catch((error: unknown) => {
        throw unavailable(error)
      })
    const fresh = Messages.filter(({ MessageId }) => !known.has(MessageId!))
    // All of it comes round again: whoever looks at so many needs longer than their time.
    if (fresh.length === 0) return
    for (const message of fresh) {
      known.add(message.MessageId!)
      yield read(message)
    }
  }
}

function read(message: Message): Received {
  const failed = new Date(Number(message.Attributes?.['SentTimestamp'] ?? 0))
  const body = parse(message.Body)
  const byLambda = givenUp.safeParse(body)
  if (byLambda.success) {
    const { requestContext, requestPayload: event, responsePayload } = byLambda.data
    const { errorType, errorMessage } = responsePayload ?? {}
    const ours = errorType === 'HtsvaultError' && errorMessage !== undefined
    return {
      key: event.detail.object.key,
      failed,
      attempts: requestContext.approximateInvokeCount,
      reason: ours ? errorMessage : (errorType ?? 'unknown: the function said nothing'),
      event,
      message,
    }
  }
  const undelivered = uploadEvent.safeParse(body)
  const attribute = (name: string) => message.MessageAttributes?.[name]?.StringValue
  return {
    key: undelivered.success ? undelivered.data.detail.object.key : undefined,
    failed,
    attempts: Number(attribute('RETRY_ATTEMPTS') ?? 0) || undefined,
    reason: undelivered.success
      ? `EventBridge could not deliver it: ${attribute('ERROR_CODE') ?? 'unknown'}`
      : 'no event of an upload',
    event: body,
    message,
  }
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}

/** Puts back what was looked at; where that fails, it comes back by itself. */
async function release({ sqs, queueUrl }: FailedIngestsPlace, received: readonly Received[]): Promise<void> {
  for (let i = 0; i < received.length; i += 10)
    await sqs
      .send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl: queueUrl,
          Entries: received.slice(i, i + 10).map(({ message }, n) => ({
            Id: String(n),
            ReceiptHandle: message.ReceiptHandle,
            VisibilityTimeout: 0,
          })),
        }),
      )
      .catch(() => undefined)
}

function unavailable(cause: unknown): HtsvaultError {
  if (cause instanceof HtsvaultError) return cause
  const name = cause instanceof Error ? cause.name : 'unknown error'
  return new HtsvaultError('QUEUE_UNAVAILABLE', `the queue of failed ingests cannot be worked off: ${name}`, {
    hint: 'You need sqs:ReceiveMessage, sqs:DeleteMessage and sqs:ChangeMessageVisibility on the queue, and lambda:InvokeFunction on the ingest. What was not redriven is still in the queue.',
    cause,
  })
}
