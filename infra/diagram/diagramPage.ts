import { App } from 'aws-cdk-lib'
import { readSettings } from '../config.ts'
import { StatefulStack } from '../stacks/StatefulStack.ts'
import { StatelessStack } from '../stacks/StatelessStack.ts'
import { drawTemplates, type Template } from './drawTemplates.ts'

/** The page with the diagram of both stacks. */
export function diagramPage(): string {
  const app = new App({
    context: { 'aws:cdk:bundling-stacks': [] },
    builtinCloudFormationValidation: false,
  })
  const settings = readSettings()
  const { state } = new StatefulStack(app, 'stateful', { settings })
  new StatelessStack(app, 'stateless', { settings, state })
  const assembly = app.synth()
  const templateOf = (name: string) => assembly.getStackByName(name).template as Template
  return `# What a vault is made of

From the templates, by \`npx node infra/diagram/write.ts\`; a test fails where it is not up to date. The arrows are what the
policies allow. Left out: roles, logs, alarms, the use of the KMS key for objects, and what makes the key pair call its function.

\`\`\`mermaid
${drawTemplates({ stateful: templateOf('stateful'), stateless: templateOf('stateless') })}
\`\`\`
`
}
