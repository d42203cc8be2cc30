import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'

/** A server of AWS services, by other people, on this machine. */
export interface AwsServer {
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

/** Starts a server by `spawnAt`, on a free port of 127.0.0.1, and waits until it answers at `probe`. */
export async function startAwsServer(
  spawnAt: (port: string) => ChildProcess,
  probe: string,
): Promise<AwsServer> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = spawnAt(String(port))
  const ended = once(child, 'exit')
  for (let tries = 0; ; tries++) {
    if (child.exitCode !== null || tries === 600) {
      child.kill('SIGKILL')
      throw new Error(`${child.spawnfile} did not start`)
    }
    const answers = await fetch(`${url}${probe}`).then(
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
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
