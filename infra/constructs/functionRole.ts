import { RemovalPolicy } from 'aws-cdk-lib'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import type { Settings } from '../config.ts'

/** A role that may write to a log group of its own and nothing else (the managed policy allows all log groups). */
export function functionRole(
  scope: Construct,
  id: string,
  { settings }: { readonly settings: Settings },
): { readonly role: Role; readonly logGroup: LogGroup } {
  const part = new Construct(scope, id)
  const logGroup = new LogGroup(part, 'Logs', {
    retention: settings.logRetentionDays,
    removalPolicy: RemovalPolicy.DESTROY,
  })
  const role = new Role(part, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
  logGroup.grantWrite(role)
  return { role, logGroup }
}
