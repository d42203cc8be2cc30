import { Validations } from 'aws-cdk-lib'
import type { IConstruct } from 'constructs'

/** Answers findings of cdk-nag on a construct and all that is below it: the rule's id, and why it does not apply. */
export function explain(construct: IConstruct, reasons: Readonly<Record<string, string>>): void {
  Validations.of(construct).acknowledge(...Object.entries(reasons).map(([id, reason]) => ({ id, reason })))
}
