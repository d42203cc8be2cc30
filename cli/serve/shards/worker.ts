import { parentPort } from 'node:worker_threads'
import { HtsvaultError, type ErrorReport } from '#shared/errors.ts'
import { workShard } from '#shared/vault/large/workShard.ts'
import { localPorts } from '../../openLocalVault.ts'
import { threadData } from '../../threads/startThread.ts'

/** What a worker thread is started with: it opens the folder and the key file itself, so that no key goes between threads. */
export interface ShardWorkerStart {
  /** The vault's folder. */
  readonly data: string
}

export interface ShardRequest {
  readonly work: string
  readonly shard: number
}

/** `failed`: an error that is told of on purpose. Any other ends the thread. */
export type ShardReply = { readonly done: true } | { readonly failed: ErrorReport }

const { data } = threadData() as ShardWorkerStart

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
