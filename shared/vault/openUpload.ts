import type { ByteSource } from '#shared/bytes/ByteSource.ts'
import { openHeader, type OpenedHeader } from '#shared/crypt4gh/header/openHeader.ts'
import { readHeaderOf } from '#shared/crypt4gh/header/readHeaderOf.ts'
import type { Header } from '#shared/crypt4gh/header/Header.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { openCrypt4ghSource } from '#shared/crypt4gh/openCrypt4ghSource.ts'
import { cipherSegmentBytes, nonceBytes } from '#shared/crypt4gh/sizes.ts'
import { wipe } from '#shared/crypt4gh/wipe.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { isCrypt4gh, recogniseBytes } from '#shared/indexes/recogniseFormat.ts'
import type { DatasetSettings } from './DatasetSettings.ts'
import { pairsOf } from './keyRing.ts'
import { storedSource } from './openStored.ts'
import type { KeyRing } from './ports/KeyStore.ts'
import type { ObjectInfo } from './ports/ObjectStore.ts'
import type { VaultPorts } from './VaultPorts.ts'

/** What opens an upload that is Crypt4GH, and what becomes of its body. */
export interface SealedUpload {
  /** Its data keys are secret: `forget` wipes them. */
  readonly opened: OpenedHeader
  /** Where its body begins, in bytes. */
  readonly start: number
  /** Whether its body can be kept as it is: it has one data key then. */
  readonly asItIs: boolean
}

/** Is shown the bytes of an upload's body that were streamed, in their order; `at`: where they begin in the upload. */
export type Seen = (cipher: Uint8Array, at: number) => void

/** An upload's plain bytes, whatever it came as. */
export interface OpenedUpload {
  /** The first `recogniseBytes` of them, or all where there are fewer. */
  readonly prefix: Uint8Array
  /** All of them; of an upload with an edit list, what it shows. */
  readonly plain: (seen?: Seen) => ByteSource
  /** Absent where it came plain. */
  readonly sealed?: SealedUpload
  /** Wipes the data keys: what `plain` gave goes on, no more can be had of it. */
  readonly forget: () => void
}

/**
 * Opens an upload: a plain one as it is, a Crypt4GH one with the vault's key, in memory alone.
 * @throws HtsvaultError CRYPT4GH_UPLOAD where the dataset's files are kept plain; what openHeader, readHeader and
 * Decryptor throw where it cannot be opened
 */
export async function openUpload(
  { inbox, keys }: VaultPorts,
  upload: ObjectInfo,
  settings: Pick<DatasetSettings, 'encryption'>,
): Promise<OpenedUpload> {
  const source = storedSource(inbox, upload)
  const prefix = await source.read(0, Math.min(upload.size, recogniseBytes))
  if (!isCrypt4gh(prefix)) return { prefix, plain: () => source, forget: () => undefined }
  if (settings.encryption === 'none')
    throw new HtsvaultError(
      'CRYPT4GH_UPLOAD',
      'the file is encrypted, and this dataset keeps its files plain',
      {
        hint: 'If everybody may read it, decrypt it first (htsvault c4gh decrypt -s SECRET FILE.c4gh); else upload it to another dataset.',
      },
    )

  const header = await readHeaderOf(source)
  const opened = openForVault(header, await keys.keyPair())
  const forget = () => wipe(...opened.dataKeys)
  const start = header.length
  try {
    const plain = (seen?: Seen) => sealedSource(source, { opened, start }, seen)
    const shown = plain()
    return {
      prefix: await shown.read(0, Math.min(shown.size, recogniseBytes)),
      plain,
      sealed: { opened, start, asItIs: await canBeKept(opened, source, start) },
      forget,
    }
  } catch (error) {
    forget()
    throw error
  }
}

/** The plain bytes of a Crypt4GH upload. @throws HtsvaultError as openCrypt4ghSource */
export function sealedSource(
  source: ByteSource,
  { opened, start }: Pick<SealedUpload, 'opened' | 'start'>,
  seen?: Seen,
): ByteSource {
  return openCrypt4ghSource(
    seen ? { ...source, stream: (...range) => shown(source.stream(...range), range[0], seen) } : source,
    opened,
    { headerLength: start },
    nodeBackend,
  )
}

async function* shown(
  chunks: AsyncIterable<Uint8Array>,
  start: number,
  seen: Seen,
): AsyncGenerator<Uint8Array> {
  let at = start
  for await (const chunk of chunks) {
    seen(chunk, at)
    at += chunk.length
    yield chunk
  }
}

/** One key and no edit list is what every reader takes: anything else is encrypted anew. */
const canBeKept = async (
  { dataKeys, editList }: OpenedHeader,
  source: ByteSource,
  start: number,
): Promise<boolean> => dataKeys.length === 1 && !editList && !(await hasOneNonce(source, start))

/** Refuses in words that are for who uploaded it. */
function openForVault(header: Header, ring: KeyRing): OpenedHeader {
  try {
    return openHeader(header, pairsOf(ring), nodeBackend)
  } catch (error) {
    if (!(error instanceof HtsvaultError && error.code === 'CRYPT4GH_WRONG_KEY')) throw error
    throw new HtsvaultError('CRYPT4GH_WRONG_KEY', "the file is not encrypted for the vault's key", {
      hint: 'htsvault c4gh reencrypt -s YOUR.sec -p vault.pub FILE.c4gh, then upload it again (docs/crypt4gh.md says where vault.pub is).',
      cause: error,
    })
  }
}

/**
 * Some writers give every segment the same nonce, which lays the plain bytes open: that is not to be kept. The first two
 * tell it; nonces that are repeated in another way are not looked for.
 */
async function hasOneNonce(source: ByteSource, start: number): Promise<boolean> {
  const second = start + cipherSegmentBytes
  if (second + nonceBytes > source.size) return false
  const [a, b] = await Promise.all([start, second].map(at => source.read(at, at + nonceBytes)))
  return Buffer.compare(a!, b!) === 0
}
