import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { startAwsServer, type AwsServer } from './awsServer.ts'
import { toolPath } from './interop.ts'

export type MotoServer = AwsServer
const probe = '/moto-api/'

/** Starts `moto_server` (AWS services in memory) and waits until it answers. */
export const startMoto = (): Promise<MotoServer> =>
  startAwsServer(
    port => spawn(toolPath('moto_server')!, ['-H', '127.0.0.1', '-p', port], { stdio: 'ignore' }),
    probe,
  )

/** The same with what a deployment needs besides; functions run. What they and the server say is in `log`. */
export async function startDeployableMoto(): Promise<MotoServer & { log(): string }> {
  const said: string[] = []
  const script = join(import.meta.dirname, 'moto', 'deployable.py')
  const moto = await startAwsServer(port => {
    const child = spawn('python3', ['-B', script, port], { env: { ...process.env, NODE: process.execPath } })
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => void said.push(text))
    return child
  }, probe)
  return { ...moto, log: () => said.join('') }
}
