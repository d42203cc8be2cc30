import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation'
import { HtsvaultError } from '#shared/errors.ts'

/**
 * The outputs of a vault's stack, by their names: where its queues and functions are.
 * @throws HtsvaultError STACK_UNREADABLE
 */
export async function stackOutputs(
  stack: string,
  client: CloudFormationClient = new CloudFormationClient({}),
): Promise<(name: string) => string> {
  const found = await client.send(new DescribeStacksCommand({ StackName: stack })).catch((cause: unknown) => {
    throw new HtsvaultError('STACK_UNREADABLE', `the stack ${stack} cannot be asked for its outputs`, {
      hint: 'Check --profile, --region and --stage, and that you may cloudformation:DescribeStacks.',
      cause,
    })
  })
  const outputs = new Map(found.Stacks?.[0]?.Outputs?.map(o => [o.OutputKey, o.OutputValue]))
  return name => {
    const value = outputs.get(name)
    if (value === undefined)
      throw new HtsvaultError('STACK_UNREADABLE', `the stack ${stack} has no output ${name}`, {
        hint: 'Deploy this version of htsvault: npx cdk deploy --all.',
      })
    return value
  }
}
