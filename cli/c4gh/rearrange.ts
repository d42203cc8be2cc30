import { cutChunks } from './cutChunks.ts'
import { HeaderCollector } from '#shared/crypt4gh/header/HeaderCollector.ts'
import { openHeader } from '#shared/crypt4gh/header/openHeader.ts'
import { readHeaderOf } from '#shared/crypt4gh/header/readHeaderOf.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { rearrange as planRearranged, type Rearrangement } from '#shared/crypt4gh/rearrange.ts'
import type { KeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { plainSize } from '#shared/crypt4gh/sizes.ts'
import { wipe } from '#shared/crypt4gh/wipe.ts'
import { writeFd } from '../files/fdStreams.ts'
import { fileError } from '../files/fileError.ts'
import { openInput } from '../files/openInput.ts'
import { OutputFile } from '../files/OutputFile.ts'
import type { Range } from './parseRange.ts'
import type { PassphraseOptions } from './passphrase.ts'
import { readKeyPairs, readPublicKeys } from './readKeys.ts'
import { standardInput, writeStandardOutput } from './standardStreams.ts'

export interface RearrangeOptions extends PassphraseOptions {
  readonly range: readonly Range[]
  readonly sk: readonly string[]
  readonly recipient_pk: readonly string[]
  readonly output?: string
  readonly force?: boolean
}

/** Writes a file that shows only some ranges of another: to standard output, or to `--output`. */
export async function rearrange(file: string | undefined, options: RearrangeOptions): Promise<void> {
  const named = readPublicKeys(options.recipient_pk)
  const keys = await readKeyPairs(options.sk, options)
  const recipients = named.length > 0 ? named : keys.map(({ publicKey }) => publicKey)
  const how = { ranges: options.range, recipients }
  const chunks = file === undefined ? rearrangeStream(keys, how) : rearrangeFile(file, keys, how)
  try {
    if (options.output === undefined) await writeStandardOutput(chunks)
    else await writeFile(options.output, options.force === true, chunks)
  } catch (error) {
    throw file === undefined ? error : fileError(error, file)
  } finally {
    wipe(...keys.map(({ secretKey }) => secretKey))
  }
}

async function writeFile(path: string, force: boolean, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const output = new OutputFile(path, { force })
  try {
    for await (const chunk of chunks) await writeFd(output.fd, chunk, path)
    output.commit()
  } finally {
    output.abort()
  }
}

async function* rearrangeFile(
  path: string,
  keys: readonly KeyPair[],
  how: Rearrangement,
): AsyncGenerator<Uint8Array, void> {
  const input = openInput(path)
  try {
    const { source } = input
    const header = await readHeaderOf(source)
    const size = plainSize(source.size - header.length)
    const open = openHeader(header, keys, nodeBackend)
    const rearranged = planRearranged(open, { ...how, plainSize: size }, nodeBackend)
    yield rearranged.header
    for (const { start, end } of rearranged.body)
      yield* source.stream(header.length + start, header.length + end)
  } finally {
    input.close()
  }
}

/** The file's length is not known: the edit list may reach past its end, which is no harm (spec §4.2). */
async function* rearrangeStream(
  keys: readonly KeyPair[],
  how: Rearrangement,
): AsyncGenerator<Uint8Array, void> {
  const collector = new HeaderCollector()
  const input = standardInput()[Symbol.asyncIterator]()
  let rest: Uint8Array = new Uint8Array()
  while (!collector.header) {
    const next = await input.next()
    if (next.done === true) break
    rest = collector.push(next.value)
  }
  const header = collector.finish()
  const rearranged = planRearranged(openHeader(header, keys, nodeBackend), how, nodeBackend)
  yield rearranged.header
  yield* cutChunks(withFirst(rest, input), rearranged.body)
}

async function* withFirst(
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  yield first
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
}
