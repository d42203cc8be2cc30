import { enableCompileCache } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { HtsvaultError, type ErrorReport } from '#shared/errors.ts'

/** What a worker thread is started with: it opens the folder and the key file itself, so that no key goes between threads. */
export interface ShardWorkerStart {
  /** The vault's folder. */
  readonly data: string
  /** Where compiled modules are kept, if anywhere. */
  readonly compileCache: string | undefined
}

export interface ShardRequest {
  readonly work: string
  readonly shard: number
}

/** `failed`: an error that is told of on purpose. Any other ends the thread. */
export type ShardReply = { readonly done: true } | { readonly failed: ErrorReport }

const { data, compileCache } = workerData as ShardWorkerStart
if (compileCache !== undefined) enableCompileCache(compileCache)
const { localPorts } = await import('../../openLocalVault.ts')
const { workShard } = await import('#shared/vault/large/workShard.ts')

const ports = localPorts(data)
parentPort!.on('message', ({ work, shard }: ShardRequest) => {
  const reply = (message: ShardReply) => parentPort!.postMessage(message)
  workShard(ports, work, shard).then(
    () => reply({ done: true }),
    (error: unknown) => {
      if (!(error instanceof HtsvaultError)) throw error
      reply({ failed: error.toReport() })
    },
  )
})
