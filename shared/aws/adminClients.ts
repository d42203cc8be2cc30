import { LambdaClient } from '@aws-sdk/client-lambda'
import { SQSClient } from '@aws-sdk/client-sqs'
import type { FailedIngestsPlace } from './failedIngests.ts'
import { callRekey } from './callRekey.ts'
import { stackOutputs } from './stackOutputs.ts'

/**
 * Where the failed ingests of a vault are, as its stack tells.
 * @throws HtsvaultError STACK_UNREADABLE
 */
export async function failedIngestsOf(stage: string): Promise<FailedIngestsPlace> {
  const output = await stackOutputs(`htsvault-${stage}-stateless`)
  return {
    sqs: new SQSClient({}),
    lambda: new LambdaClient({}),
    queueUrl: output('FailedIngests'),
    functionName: output('IngestFunction'),
  }
}

/**
 * The function of a vault that re-keys, to be called.
 * @throws HtsvaultError STACK_UNREADABLE
 */
export async function rekeyOnAws(stage: string): Promise<(request: object) => Promise<unknown>> {
  const name = (await stackOutputs(`htsvault-${stage}-stateless`))('RekeyFunction')
  return request => callRekey(name, request)
}
