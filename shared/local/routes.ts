/**
 * A Lambda handler behind paths of a REST API: one that answers an APIGatewayProxyEvent with an APIGatewayProxyResult,
 * or one that `awslambda.streamifyResponse` made.
 */
export interface Route {
  readonly methods: readonly string[]
  /** As API Gateway writes it: `/reads/{id+}`; `{id}` is one part of a path, `{id+}` all that is left. */
  readonly resource: string
  readonly handler: (event: never, ...rest: never[]) => unknown
}

export interface RouteMatch {
  readonly resource: string
  /** The path of the request, percent-encoded as it came. */
  readonly path: string
  /** Its parameters, percent-encoded as they came: API Gateway's REST APIs do not decode them. */
  readonly parameters: Readonly<Record<string, string>>
}

/** What the path of a request is to a resource; undefined where it is another's. */
export function matchRoute({ resource }: Pick<Route, 'resource'>, path: string): RouteMatch | undefined {
  const names = resource.split('/')
  const parts = path.split('/')
  const parameters: Record<string, string> = {}
  for (const [i, name] of names.entries()) {
    const [, parameter, greedy] = /^\{(\w+)(\+?)\}$/.exec(name) ?? []
    const value = greedy === '+' ? parts.slice(i).join('/') : parts[i]
    if (parameter === undefined ? value !== name : value === undefined || value === '') return undefined
    if (parameter !== undefined) parameters[parameter] = value!
    if (greedy === '+') return { resource, path, parameters }
  }
  return parts.length === names.length ? { resource, path, parameters } : undefined
}
