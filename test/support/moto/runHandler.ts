/**
 * Runs the handler of a function's bundle once, as the Lambda runtime does:
 * `node runHandler.ts FOLDER FILE.EXPORT < event`, the answer in `reply.json` beside the folder.
 */
import { existsSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'

const [folder = '', name = ''] = process.argv.slice(2)
const [file, exported = ''] = name.split('.')
const path = ['.mjs', '.js'].map(ending => join(folder, `${file}${ending}`)).find(existsSync)!
const answer = (reply: unknown) =>
  writeFileSync(join(folder, '..', 'reply.json'), JSON.stringify(reply ?? null))

// CDK's framework for custom resources answers CloudFormation by https, at the port that belongs to it.
const { port } = new URL(process.env['AWS_ENDPOINT_URL']!)
const request = (options: http.RequestOptions, reply: (r: http.IncomingMessage) => void) =>
  http.request({ ...options, port }, reply)
Object.assign(https, { request })

try {
  const module = (await import(pathToFileURL(path).href)) as Record<string, unknown>
  const handler = (module[exported] ?? (module['default'] as Record<string, unknown>)[exported]) as (
    event: unknown,
    context: object,
  ) => Promise<unknown>
  answer(await handler(await json(process.stdin), {}))
} catch (error) {
  const { name: errorType, message: errorMessage, stack: trace } = error as Error
  answer({ errorType, errorMessage, trace: trace?.split('\n') })
  process.exitCode = 1
}
