import type { KeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { wipe } from '#shared/crypt4gh/wipe.ts'
import { streamFile, type FileOptions } from '#shared/client/streamFile.ts'
import type { TicketQuery } from '#shared/client/TicketQuery.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { readKeyPairs } from '../c4gh/readKeys.ts'
import { OutputFile, refuseExisting } from '../files/OutputFile.ts'
import type { StreamOptions } from './command.ts'
import { findTarget } from './findTarget.ts'
import { httpExchange } from './httpExchange.ts'
import { readToken } from './readToken.ts'
import { resolveRegions } from './resolveRegions.ts'
import { showBlocks } from './showBlocks.ts'
import { writeGathered } from './writeGathered.ts'

/** As a shell tells of a process that SIGPIPE ended: what samtools would be. */
const outputClosed = 141

/** Writes what a server has for a query to standard output or to a file. */
export async function stream(text: string, options: StreamOptions): Promise<void> {
  const { output, force = false } = options
  if (output !== undefined) refuseExisting(output, force)
  else if (process.stdout.isTTY)
    throw new HtsvaultError('OUTPUT_IS_TERMINAL', 'the answer is not for a terminal to show', {
      hint: 'Pipe it, … | samtools view -, or write it to a file: -o FILE.',
    })
  const key = options.key === undefined ? undefined : (await readKeyPairs([options.key], options))[0]
  try {
    await transfer(text, options, key)
  } catch (error) {
    const left = output === undefined && error instanceof HtsvaultError && error.code === 'OUTPUT_CLOSED'
    if (!left) throw error
    process.exitCode = outputClosed
  } finally {
    wipe(key?.secretKey)
  }
}

async function transfer(text: string, options: StreamOptions, key: KeyPair | undefined): Promise<void> {
  const shared: FileOptions = { token: readToken(options), key, backend: nodeBackend, exchange: httpExchange }
  const columns: TicketQuery = {
    ...(options.format && { format: options.format }),
    ...(options.fields && { fields: options.fields }),
    ...(options.tags && { tags: options.tags }),
    ...(options.notags && { notags: options.notags }),
  }
  const target = await findTarget(text, options, shared)
  const regions = await resolveRegions(options.region, target, options.format, shared)
  const query = { ...columns, ...(regions && { regions }), headerOnly: options.headerOnly === true }
  const progress = showBlocks()
  const bytes = streamFile(target, query, {
    ...shared,
    parallel: options.parallel,
    onTicket: ticket => progress.begin(ticket.blocks.length),
    onProgress: progress.update,
  })
  try {
    if (options.output === undefined) await writeGathered(bytes, 1, 'standard output')
    else await writeFile(bytes, options.output, options.force === true)
  } finally {
    progress.stop()
  }
}

async function writeFile(bytes: AsyncIterable<Uint8Array>, path: string, force: boolean): Promise<void> {
  const file = new OutputFile(path, { force })
  try {
    await writeGathered(bytes, file.fd, path)
    file.commit()
  } finally {
    file.abort()
  }
}
