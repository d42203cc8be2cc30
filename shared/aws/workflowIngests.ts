import { createHash } from 'node:crypto'
import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  StartExecutionCommand,
  SFNClient,
} from '@aws-sdk/client-sfn'
import { HtsvaultError } from '#shared/errors.ts'
import type { LargeIngests } from '#shared/vault/ports/LargeIngests.ts'
import type { ObjectInfo } from '#shared/vault/ports/ObjectStore.ts'

/** How often one version of an upload is tried, each time after somebody asked for it. */
const maxAttempts = 100

/**
 * Large ingests as executions of a state machine. An execution's name follows from the upload and its version, and a
 * number: an event that comes twice finds the execution that it started, and after one that failed comes the next
 * number. Step Functions keeps names for 90 days.
 */
export function workflowIngests(
  stateMachineArn: string,
  from: number,
  sfn: SFNClient = new SFNClient({ maxAttempts: 5 }),
): LargeIngests {
  return {
    from,
    async start(upload) {
      try {
        for (let attempt = 1; attempt <= maxAttempts; attempt++)
          if (await startOnce(sfn, stateMachineArn, upload, attempt)) return
      } catch (cause) {
        throw unavailable(cause)
      }
      throw unavailable(new Error(`${maxAttempts} executions for one upload`))
    },
  }
}

/** Starts the execution of that number; false where it has ended. */
async function startOnce(
  sfn: SFNClient,
  stateMachineArn: string,
  upload: ObjectInfo,
  attempt: number,
): Promise<boolean> {
  const name = executionName(upload, attempt)
  const { key, etag } = upload
  try {
    await sfn.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify({ key, etag }) }))
    return true
  } catch (error) {
    if (!(error instanceof ExecutionAlreadyExists)) throw error
  }
  const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`
  const { status } = await sfn.send(new DescribeExecutionCommand({ executionArn }))
  return status === 'RUNNING' || status === 'PENDING_REDRIVE'
}

function executionName({ key, etag, modified }: ObjectInfo, attempt: number): string {
  const upload = createHash('sha256').update(JSON.stringify([key, etag, modified.toISOString()]))
  return `${upload.digest('hex').slice(0, 32)}-${attempt}`
}

const unavailable = (cause: unknown) =>
  new HtsvaultError('WORKFLOW_UNAVAILABLE', 'the ingest of large files cannot be started', {
    hint: "Check that the ingest's role may start executions of the state machine LargeIngest; the upload is tried again.",
    cause,
  })
