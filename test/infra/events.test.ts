import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { at, jsonOf, resourcesOf, synthesise } from './synthesise.ts'

const folder = join(import.meta.dirname, '../../events')
const files = readdirSync(folder).filter(name => name.endsWith('.json'))
const names = [...new Set(files.map(name => name.replace(/\.(valid|invalid)\.json$/, '')))]
const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<string, unknown>

const { stateless } = synthesise()
const pattern = resourcesOf(stateless, 'AWS::Events::Rule')[0]!.Properties['EventPattern']

/** EventBridge's matching, as far as the rule goes: lists of values, and `anything-but` with a suffix. */
function matches(event: unknown, wanted: unknown): boolean {
  if (!Array.isArray(wanted))
    return Object.entries(wanted as object).every(([name, w]) => matches(at(event, name), w))
  return wanted.some(w => {
    if (typeof w === 'string') return event === w
    // The bucket's name is known after the deployment; in the fixtures it is this.
    if (at(w, 'Fn::ImportValue') !== undefined) return event === 'htsvault-inbox'
    return typeof event === 'string' && !event.endsWith(at(w, 'anything-but', 'suffix') as string)
  })
}

/** The routes of the API, as `/reads/{id+}`. */
function routes(): string[] {
  const { Resources } = jsonOf(stateless)
  return Object.values(Resources)
    .filter(r => r.Type === 'AWS::ApiGateway::Resource')
    .map(r => {
      const parent = Resources[at(r.Properties, 'ParentId', 'Ref') as string]
      return `${parent === undefined ? '' : `/${parent.Properties['PathPart'] as string}`}/${r.Properties['PathPart'] as string}`
    })
}

describe('events', () => {
  test('each has its invalid twin, and a line in the README', () => {
    expect(files.toSorted()).toEqual(names.flatMap(n => [`${n}.invalid.json`, `${n}.valid.json`]).toSorted())
    const readme = readFileSync(join(folder, 'README.md'), 'utf8')
    const listed = [...readme.matchAll(/^\| `([a-z0-9-]+)`/gm)].map(m => m[1]!)
    expect(listed.toSorted()).toEqual(names.toSorted())
  })

  test.each(names.filter(n => n.startsWith('s3-')))('%s is one that starts the ingest', name => {
    expect(matches(read(`${name}.valid.json`), pattern)).toBe(true)
  })

  test.each([
    ['a deletion', read('s3-multipart.invalid.json')],
    ['a test event', read('s3-unversioned.invalid.json')],
    ['a refusal that the ingest wrote', refusal()],
    ['an upload to another bucket', elsewhere()],
  ])('%s does not start the ingest', (_, event) => {
    expect(matches(event, pattern)).toBe(false)
  })

  test.each(names.filter(n => !n.startsWith('s3-')))('%s is of a route that the API has', name => {
    const event = read(`${name}.valid.json`)
    expect(routes()).toContain(event['resource'])
    const [[parameter, value] = []] = Object.entries(event['pathParameters'] as Record<string, string>)
    expect((event['resource'] as string).replace(`{${parameter}+}`, value!)).toBe(event['path'])
  })
})

function refusal() {
  const event = read('s3-object-created.valid.json')
  Object.assign(at(event, 'detail', 'object') as object, { key: 'demo/x.bam.refused.json' })
  return event
}

function elsewhere() {
  const event = read('s3-object-created.valid.json')
  Object.assign(at(event, 'detail', 'bucket') as object, { name: 'another' })
  return event
}
