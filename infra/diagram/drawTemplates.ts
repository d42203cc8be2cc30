/** As much of a template as a diagram needs. */
export interface Template {
  readonly Resources: Readonly<
    Record<string, { readonly Type: string; readonly Properties?: Readonly<Record<string, unknown>> }>
  >
  readonly Outputs?: Readonly<
    Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: unknown } }>
  >
}

/** What is drawn, and in which shape; everything else is plumbing. */
const shapes: Readonly<Record<string, readonly [open: string, close: string]>> = {
  'AWS::S3::Bucket': ['[(', ')]'],
  'AWS::KMS::Key': ['{{', '}}'],
  'AWS::SecretsManager::Secret': ['{{', '}}'],
  'AWS::Lambda::Function': ['[', ']'],
  'AWS::ApiGateway::RestApi': ['([', '])'],
  'AWS::Events::EventBus': ['([', '])'],
  'AWS::Events::Rule': ['>', ']'],
  'AWS::SQS::Queue': ['[/', '/]'],
  'AWS::StepFunctions::StateMachine': ['[[', ']]'],
}

/** The verb of a permission on an edge; permissions without one (a key's use, a log) are left out. */
const verbs: readonly (readonly [action: RegExp, verb: string])[] = [
  [/^s3:PutObject$/, 'writes'],
  [/^s3:GetObject$/, 'reads'],
  [/^secretsmanager:PutSecretValue$/, 'writes'],
  [/^secretsmanager:GetSecretValue$/, 'reads'],
  [/^kms:Encrypt$/, 'wraps by'],
  [/^events:PutEvents$/, 'announces on'],
  [/^sqs:SendMessage$/, 'fails to'],
  [/^states:StartExecution$/, 'starts'],
  [/^lambda:InvokeFunction$/, 'calls'],
]

/** What a rule hears of. */
const happenings: Readonly<Record<string, string>> = {
  'AWS::S3::Bucket': 'object created',
  'AWS::StepFunctions::StateMachine': 'stopped',
}

/** What acts under a role of its own. */
const workers = new Set(['AWS::Lambda::Function', 'AWS::StepFunctions::StateMachine'])

interface Node {
  readonly id: string
  readonly type: string
  readonly label: string
}

/**
 * A mermaid flowchart of stacks: their main resources, and who may do what with which, as the policies have it.
 * `stacks`: name of each, and its template.
 */
export function drawTemplates(stacks: Readonly<Record<string, Template>>): string {
  const exports = new Map<string, string>()
  for (const [stack, { Outputs = {} }] of Object.entries(stacks))
    for (const { Value, Export } of Object.values(Outputs)) {
      const [target] = references(Value)
      if (Export && target !== undefined) exports.set(JSON.stringify(Export.Name), `${stack}.${target}`)
    }
  const nodes = new Map<string, Node>()
  for (const [stack, { Resources }] of Object.entries(stacks))
    for (const [name, { Type, Properties = {} }] of Object.entries(Resources))
      if (Type in shapes && !name.includes('Framework') && !name.includes('KeyPairProvider'))
        nodes.set(`${stack}.${name}`, { id: name, type: Type, label: labelOf(name, Properties) })

  const edges = new Map<string, Set<string>>()
  for (const [stack, { Resources }] of Object.entries(stacks)) {
    /** The drawn resources that a value refers to, in this stack or, by an import, in another. */
    const drawn = (value: unknown): string[] =>
      references(value)
        .map(name => exports.get(JSON.stringify(name)) ?? `${stack}.${name}`)
        .filter(key => nodes.has(key))
    const draw = (from: string, to: string, verb: string) => {
      const key = `${nodes.get(from)!.id} ${nodes.get(to)!.id}`
      if (from !== to) edges.set(key, (edges.get(key) ?? new Set()).add(verb))
    }
    const all = Object.entries(Resources)
    for (const [name, { Type, Properties = {} }] of all) {
      if (Type === 'AWS::IAM::Policy') {
        const roles = references(Properties['Roles'])
        const owners = all.filter(
          ([, r]) =>
            workers.has(r.Type) &&
            references(r.Properties?.['Role'] ?? r.Properties?.['RoleArn']).some(r => roles.includes(r)),
        )
        const { Statement } = Properties['PolicyDocument'] as { Statement: Statement[] }
        for (const { Effect, Action, Resource } of Statement)
          for (const [pattern, verb] of verbs)
            if (Effect === 'Allow' && [Action].flat().some(action => pattern.test(action)))
              for (const to of drawn(Resource))
                for (const [owner] of owners)
                  if (nodes.has(`${stack}.${owner}`)) draw(`${stack}.${owner}`, to, verb)
      }
      if (Type === 'AWS::ApiGateway::Method')
        for (const to of drawn((Properties['Integration'] as { Uri?: unknown } | undefined)?.Uri))
          for (const from of drawn(Properties['RestApiId'])) draw(from, to, 'calls')
      if (Type === 'AWS::Events::Rule') {
        for (const to of drawn((Properties['Targets'] as { Arn: unknown }[]).map(t => t.Arn)))
          draw(`${stack}.${name}`, to, 'starts')
        for (const from of drawn(Properties['EventPattern']))
          draw(from, `${stack}.${name}`, happenings[nodes.get(from)!.type] ?? 'tells')
      }
    }
  }

  const lines = ['flowchart LR']
  for (const stack of Object.keys(stacks)) {
    lines.push(`  subgraph ${stack}`)
    for (const [key, { id, type, label }] of nodes)
      if (key.startsWith(`${stack}.`)) lines.push(`    ${id}${shapes[type]![0]}"${label}"${shapes[type]![1]}`)
    lines.push('  end')
  }
  for (const [key, how] of edges) {
    const [from, to] = key.split(' ')
    lines.push(`  ${from} -->|${[...how].sort().join(', ')}| ${to}`)
  }
  return lines.join('\n')
}

interface Statement {
  readonly Effect: string
  readonly Action: string | readonly string[]
  readonly Resource: unknown
}

/** What a value names: logical ids, and names of exports. */
function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.flatMap(references)
  return Object.entries(value).flatMap(([name, argument]): string[] => {
    if (name === 'Ref' || name === 'Fn::ImportValue') return [argument as string]
    if (name === 'Fn::GetAtt') return [(argument as string[])[0]!]
    return references(argument)
  })
}

/** The construct's name, without what CDK adds: `ServiceIngestFunctionHandler0A1B2C3D` is the ingest. */
const labelOf = (name: string, { Description: what }: Readonly<Record<string, unknown>>): string => {
  const short = name
    .replace(/[0-9A-F]{8}$/, '')
    .replace(/^(State|Service)/, '')
    .replace(/(FunctionHandler|StateMachine|Rest)$/, '')
    .replace(/^Buckets/, '')
  return typeof what === 'string' ? `${short}<br/><small>${what.replace(/^htsvault: /, '')}</small>` : short
}
