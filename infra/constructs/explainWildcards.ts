import { Stack } from 'aws-cdk-lib'
import type { CfnPolicy } from 'aws-cdk-lib/aws-iam'
import type { IConstruct } from 'constructs'
import { explain } from './explain.ts'

interface Document {
  readonly Statement: readonly {
    readonly Effect: string
    readonly Action: string | readonly string[]
    readonly Resource: unknown
  }[]
}

/**
 * Answers cdk-nag's findings of wildcards in the policy of a role, or in one that another construct has: what a resource ends in, and why it is needed. A
 * wildcard that no reason fits stays a finding.
 *
 * cdk-nag wants the whole name of each, with the references between stacks in it; these are known just before the
 * templates are written, so that is when it is done.
 */
export function explainWildcards(
  owner: IConstruct,
  reasons: Readonly<Record<string, string>>,
  policyName = 'DefaultPolicy',
): void {
  owner.node.addValidation({
    validate: () => {
      const policy = owner.node.findChild(policyName).node.defaultChild as CfnPolicy
      const document = Stack.of(owner).resolve(policy.policyDocument) as Document
      for (const { Effect, Resource } of document.Statement) {
        if (Effect !== 'Allow') continue
        for (const name of [Resource].flat().map(flatten)) {
          const ending = Object.keys(reasons).find(
            e => name.endsWith(e) && !name.slice(0, -e.length).includes('*'),
          )
          if (ending !== undefined)
            explain(policy, { [`AwsSolutions-IAM5[Resource::${name}]`]: reasons[ending]! })
        }
      }
      return []
    },
  })
}

/** A resource of a template as cdk-nag spells it. */
function flatten(value: unknown): string {
  if (typeof value === 'string') return value
  const [[name, argument] = []] = Object.entries(value as Record<string, unknown>)
  if (name === 'Ref') return `<${String(argument)}>`
  if (name === 'Fn::GetAtt') return `<${(argument as string[]).join('.')}>`
  if (name === 'Fn::ImportValue') return flatten(argument)
  if (name !== 'Fn::Join') return JSON.stringify(value)
  const [separator, parts] = argument as [string, unknown[]]
  return parts.map(flatten).join(separator)
}
