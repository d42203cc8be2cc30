import { LambdaClient } from '@aws-sdk/client-lambda'
import { SQSClient } from '@aws-sdk/client-sqs'
import type { FailedIngestsPlace } from './failedIngests.ts'
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
