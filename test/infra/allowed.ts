import type { Template } from 'aws-cdk-lib/assertions'
import { jsonOf } from './synthesise.ts'

export interface Statement {
  readonly Effect: 'Allow' | 'Deny'
  readonly Action: string | string[]
  readonly Resource?: unknown
  readonly Principal?: unknown
  readonly Condition?: Record<string, Record<string, unknown>>
}

/** Every statement of a template, with the name of the resource it stands in. */
export function statements(template: Template): { readonly owner: string; readonly statement: Statement }[] {
  const found: { owner: string; statement: Statement }[] = []
  const walk = (owner: string, value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    if ('Statement' in value)
      for (const statement of [value.Statement].flat() as Statement[]) found.push({ owner, statement })
    for (const part of Object.values(value)) walk(owner, part)
  }
  for (const [owner, resource] of Object.entries(jsonOf(template).Resources)) walk(owner, resource.Properties)
  return found
}

/** Those that allow something. */
export const allowed = (template: Template): ReturnType<typeof statements> =>
  statements(template).filter(({ statement }) => statement.Effect === 'Allow')
