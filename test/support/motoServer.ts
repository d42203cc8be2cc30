import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
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
export async function startMoto(): Promise<MotoServer> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = spawn(toolPath('moto_server')!, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' })
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
