import { crc64nvme } from '#shared/bytes/crc64nvme.ts'
import { keptRanges } from '#shared/crypt4gh/editList.ts'
import { Decryptor } from '#shared/crypt4gh/body/Decryptor.ts'
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

/** A Crypt4GH body that can be kept as it is: its one data key, a secret, and where it begins in the upload. */
export interface SealedBody {
  readonly upload: ObjectInfo
  readonly dataKey: Uint8Array
  readonly start: number
  /** The body's CRC-64/NVME, once all of it was streamed. */
  readonly crc: () => bigint
}

/** An upload's plain bytes, whatever it came as. */
export interface OpenedUpload {
  /** The first `recogniseBytes` of them, or all where there are fewer. */
  readonly prefix: Uint8Array
  /** How many there are; for an upload with an edit list, how many it shows. */
  readonly plainSize: number
  /** All of them, in order. A chunk holds only until the next is asked for. */
  stream(): AsyncIterable<Uint8Array>
  /** Absent where the vault encrypts the plain bytes itself. */
  readonly sealed?: SealedBody
}

/**
 * Opens an upload: a plain one as it is, a Crypt4GH one with the vault's key, in memory alone.
 * @throws HtsvaultError CRYPT4GH_UPLOAD where the dataset's files are kept plain; what openHeader, readHeader and
 * Decryptor throw where it cannot be opened; EMPTY_FILE
 */
export async function openUpload(
  { inbox, keys }: VaultPorts,
  upload: ObjectInfo,
  settings: Pick<DatasetSettings, 'encryption'>,
): Promise<OpenedUpload> {
  const source = storedSource(inbox, upload)
  const prefix = await source.read(0, Math.min(upload.size, recogniseBytes))
  if (!isCrypt4gh(prefix))
    return {
      prefix,
      plainSize: upload.size,
      stream: () => inbox.stream(upload.key, 0, upload.size, upload.etag, { reuse: true }),
    }
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
  const plain = openCrypt4ghSource(source, opened, { headerLength: header.length }, nodeBackend)
  const [dataKey, ...more] = opened.dataKeys
  const keep = opened.editList && keptRanges(opened.editList)
  const decryptor = new Decryptor(opened.dataKeys, nodeBackend, { keep, reuseOutput: true })
  // One key and no edit list is what every reader takes: anything else is encrypted anew.
  const asItIs =
    more.length === 0 &&
    !opened.editList &&
    !(await reusesNonce(source.read.bind(source), header, upload.size))
  if (!asItIs) wipe(...opened.dataKeys)
  let crc = 0n
  return {
    prefix: await plain.read(0, Math.min(plain.size, recogniseBytes)),
    plainSize: plain.size,
    async *stream() {
      const cipher = inbox.stream(upload.key, header.length, upload.size, upload.etag, { reuse: true })
      for await (const chunk of cipher) {
        crc = crc64nvme(chunk, crc)
        yield* decryptor.push(chunk)
      }
      yield* decryptor.finish()
    },
    ...(asItIs && { sealed: { upload, dataKey: dataKey!, start: header.length, crc: () => crc } }),
  }
}

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

/** Some writers give every segment the same nonce, which lays the plain bytes open: that is not to be kept. */
async function reusesNonce(
  read: (start: number, end: number) => Promise<Uint8Array>,
  { length }: Header,
  size: number,
): Promise<boolean> {
  const second = length + cipherSegmentBytes
  if (second + nonceBytes > size) return false
  const [a, b] = await Promise.all([length, second].map(at => read(at, at + nonceBytes)))
  return Buffer.compare(a!, b!) === 0
}
