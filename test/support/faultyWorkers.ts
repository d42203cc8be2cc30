/**
 * Preloaded into a vault's process (`--import`): its worker threads do not take this shard in. HTSVAULT_TEST_WORKERS
 * says what they do: `stall`, `die`, or `die-once:<file>`, the file being made by the one that dies.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { isMainThread, parentPort } from 'node:worker_threads'
import type { ShardRequest } from '#cli/serve/shards/worker.ts'

const faultyShard = 1
const [fault, mark] = (process.env['HTSVAULT_TEST_WORKERS'] ?? '').split(':')

function meet(): void {
  if (mark !== undefined && existsSync(mark)) return
  if (fault === 'stall') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  if (mark !== undefined) writeFileSync(mark, '')
  process.exit(3)
}

if (!isMainThread && parentPort) {
  const port = parentPort
  const on = port.on.bind(port) as (name: string, listener: (message: ShardRequest) => void) => typeof port
  port.on = ((name: string, listener: (message: ShardRequest) => void) =>
    on(name, message => {
      if (name === 'message' && message.shard === faultyShard) meet()
      listener(message)
    })) as typeof port.on
}
