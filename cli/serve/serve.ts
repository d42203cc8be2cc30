import { setTimeout } from 'node:timers/promises'
import { HtsvaultError } from '#shared/errors.ts'
import { provideAwslambda } from '#shared/local/awslambda.ts'
import { endDeadWork } from '#shared/local/endDeadWork.ts'
import { startServer } from '#shared/local/httpServer.ts'
import { watchInbox } from '#shared/local/watchInbox.ts'
import type { Log } from '#shared/vault/Log.ts'
import { parseUploadKey } from '#shared/vault/names.ts'
import { StatusBoard } from '#shared/vault/StatusBoard.ts'
import { localPorts, vaultFolder } from '../openLocalVault.ts'
import { printError } from '../printError.ts'
import type { ServeOptions } from './command.ts'
import { demoFiles, uploadDemo } from './demo.ts'
import { ingestQueue } from './ingestQueue.ts'
import { localAuthenticate } from './localAuthenticate.ts'
import { localHandlers } from './localHandlers.ts'
import { describeClosedVault, describeVault, formatStatus, isWorthALine } from './messages.ts'
import { ingestByThreads } from './shards/ingestByThreads.ts'

/** Runs a vault until it is told to end (SIGINT, SIGTERM). */
export async function serve({
  port,
  data,
  demo,
  origin,
  workers,
  largeFrom,
  ...oidc
}: ServeOptions): Promise<void> {
  const authenticate = await localAuthenticate(oidc)
  const ports = localPorts(data)
  await ports.keys.keyPair() // A vault without its key does not start.
  await endDeadWork(vaultFolder(data), ports, printError)
  provideAwslambda()
  const { ingest, routes } = await localHandlers(ports, log, authenticate)

  const board = await StatusBoard.from(ports)
  const queue = ingestQueue(async (key, progress) => {
    const upload = workers > 1 ? await ports.inbox.head(key) : undefined
    return upload && upload.size >= largeFrom * 1e6
      ? ingestByThreads(ports, key, { data, workers, progress })
      : ingest(key)
  }, board)
  const server = await startServer({
    port,
    routes,
    // These know nobody: where who asks counts, uploads are copied into the folder, their states stand here, and a page
    // needs a token, wherever it is from.
    ...(!authenticate && {
      origins: origin,
      inbox: {
        store: ports.inbox,
        readName: parseUploadKey,
        onUpload: ({ key, size }) => board.set(key, 'received', size),
      },
      status: () => board.list(),
    }),
    onError: error => log.error('request failed', {}, error),
  })
  console.log(`htsvault runs on ${server.url}, its files are in ${data}`)
  board.onChange(status => {
    if (isWorthALine(status)) console.log(formatStatus(status))
  })

  if (demo) await uploadDemo(data, ports.inbox)
  const waitsForDemo = new Set(demo ? demoFiles.filter(file => board.get(file)?.state !== 'served') : [])
  const tell = () =>
    console.log(
      authenticate ? describeClosedVault(server.url, data) : describeVault(server.url, data, board.list()),
    )
  if (waitsForDemo.size === 0) tell()
  else
    board.onChange(({ dataset, name, state }) => {
      if (
        (state === 'served' || state === 'refused') &&
        waitsForDemo.delete(`${dataset}/${name}`) &&
        waitsForDemo.size === 0
      )
        tell()
    })

  const watch = watchInbox(ports.inbox, {
    onFile: ({ key, size }) => queue.add(key, size),
    onError: printError,
  })

  await toldToEnd()
  console.log('ending: what is under way is finished first (again Ctrl-C: at once, nothing is lost)')
  const repeated = setTimeout(repeatMs)
  await watch.close()
  await server.close()
  await queue.close()
  await repeated
  console.log('ended')
}

/** One Ctrl-C under npm comes twice, from the terminal and from npm: so long the second one is waited for. */
const repeatMs = 300

/** Resolves at the first signal; the listener stays. */
function toldToEnd(): Promise<void> {
  return new Promise(resolve => {
    let told: number | undefined
    process.on('SIGINT', () => {
      if (told !== undefined && Date.now() - told > 1000) process.exit(130)
      told ??= Date.now()
      resolve()
    })
    process.once('SIGTERM', () => {
      told ??= Date.now()
      resolve()
    })
  })
}

const log: Log = {
  info: () => undefined, // The status lines say it.
  error: (message, _fields, error) => {
    if (error instanceof HtsvaultError) printError(error)
    else console.error(message, error)
  },
}
