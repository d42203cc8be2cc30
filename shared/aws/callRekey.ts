import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { HtsvaultError } from '#shared/errors.ts'

/**
 * Calls the function that re-keys, and answers what it answers, parsed.
 * @throws HtsvaultError REKEY_FAILED
 */
export async function callRekey(
  functionName: string,
  request: object,
  client: LambdaClient = new LambdaClient({}),
): Promise<unknown> {
  const fail = (why: string, cause?: unknown) =>
    new HtsvaultError('REKEY_FAILED', `the function that re-keys did not answer as it should: ${why}`, {
      hint: 'You need lambda:InvokeFunction on it; its log says more. Run the same command again: it goes on from what is there.',
      cause,
    })
  const reply = await client
    .send(new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(request) }))
    .catch((cause: unknown) => {
      throw fail(cause instanceof Error ? cause.name : 'unknown error', cause)
    })
  if (reply.FunctionError !== undefined) throw fail(reply.FunctionError)
  try {
    return JSON.parse(new TextDecoder().decode(reply.Payload)) as unknown
  } catch (cause) {
    throw fail('no JSON', cause)
  }
}
