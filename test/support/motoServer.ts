import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { toolPath } from './interop.ts'

export interface MotoServer {
  readonly url: string
  /** Settings of any client of the AWS SDK for it. */
  readonly settings: {
    readonly endpoint: string
    readonly region: string
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  }
  stop(): Promise<void>
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Starts `moto_server` (AWS services in memory, by other people) and waits until it answers. */
export const startMoto = (): Promise<MotoServer> =>
  start(port => spawn(toolPath('moto_server')!, ['-H', '127.0.0.1', '-p', port], { stdio: 'ignore' }))

/** The same with what a deployment needs besides; functions run. What they and the server say is in `log`. */
export async function startDeployableMoto(): Promise<MotoServer & { log(): string }> {
  const said: string[] = []
  const script = join(import.meta.dirname, 'moto', 'deployable.py')
  const moto = await start(port => {
    const child = spawn('python3', ['-B', script, port], { env: { ...process.env, NODE: process.execPath } })
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => void said.push(text))
    return child
  })
  return { ...moto, log: () => said.join('') }
}

async function start(spawnAt: (port: string) => ChildProcess): Promise<MotoServer> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = spawnAt(String(port))
  const ended = once(child, 'exit')
  for (let tries = 0; ; tries++) {
    if (child.exitCode !== null || tries === 600) {
      child.kill('SIGKILL')
      throw new Error('moto_server did not start')
    }
    const answers = await fetch(`${url}/moto-api/`).then(
      () => true,
      () => false,
    )
    if (answers) break
    await setTimeout(100)
  }
  return {
    url,
    settings: {
      endpoint: url,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
