import { App } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { readSettings, type SettingsInput } from '../../infra/config.ts'
import { StatefulStack } from '../../infra/stacks/StatefulStack.ts'
import { StatelessStack } from '../../infra/stacks/StatelessStack.ts'

/** A resource of a template. */
export interface Resource {
  readonly Type: string
  readonly DeletionPolicy?: string
  readonly UpdateReplacePolicy?: string
  readonly DependsOn?: string | readonly string[]
  readonly Properties: Record<string, unknown>
}

export interface TemplateJson {
  readonly Resources: Record<string, Resource>
  readonly Outputs: Record<string, { readonly Value: unknown; readonly Description?: string }>
}

/**
 * An app that bundles nothing: a template test is of the template. Nor does it check templates by CloudFormation's rules,
 * which takes ten seconds; cfnRules.test.ts does, once.
 */
export const appWithoutBundling = () =>
  new App({ context: { 'aws:cdk:bundling-stacks': [] }, builtinCloudFormationValidation: false })

/** Both stacks of a vault. */
export function synthesise(settings: SettingsInput = {}, env?: { account: string; region: string }) {
  const app = appWithoutBundling()
  const props = { settings: readSettings(settings), ...(env && { env }) }
  const stateful = new StatefulStack(app, 'stateful', props)
  const stateless = new StatelessStack(app, 'stateless', { ...props, state: stateful.state })
  return {
    app,
    stateful: Template.fromStack(stateful),
    stateless: Template.fromStack(stateless),
  }
}

export const jsonOf = (template: Template): TemplateJson => template.toJSON() as TemplateJson

export const resourcesOf = (template: Template, type: string): Resource[] =>
  Object.values(jsonOf(template).Resources).filter(r => r.Type === type)

/** What stands at a path of a property, or undefined. */
export const at = (value: unknown, ...path: (string | number)[]): unknown =>
  path.reduce<unknown>((v, name) => (v as Record<string | number, unknown> | undefined)?.[name], value)
