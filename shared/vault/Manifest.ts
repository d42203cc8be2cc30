import * as z from 'zod'
import { HtsvaultError } from '#shared/errors.ts'

const base64 = z.base64()
const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`))
const count = z.number().int().nonnegative()

/** One object of the vault bucket, and how to read it. */
const storedObject = z.strictObject({
  key: z.string().min(1),
  /** Length of the object in bytes. */
  size: count,
  etag: z.string().min(1),
  /** CRC-64/NVME of the object, base64, as S3 shows it of its own; absent of what an earlier version wrote. */
  crc64nvme: base64.optional(),
  /** Length in bytes of what it holds once decrypted; equal to `size` where nothing is encrypted. */
  plainSize: count,
  /**
   * The Crypt4GH header that opens it, base64; absent where it is plain. It is the authoritative one: re-keying
   * rewrites the manifest and leaves the object as it is.
   */
  header: base64.optional(),
  /** Where the first segment begins in the object, in bytes: the length of the header that it was written with. */
  bodyOffset: count,
})

const manifestSchema = z.strictObject({
  version: z.literal(1),
  /** The htsget id, `<dataset>/<path>` without the format's ending. */
  id: z.string().min(1),
  dataset: z.string().min(1),
  /** The name it was uploaded under, within the dataset. */
  name: z.string().min(1),
  format: z.enum(['BAM', 'CRAM', 'VCF', 'BCF']),
  formatVersion: z.string(),
  encryption: z.enum(['crypt4gh', 'none']),
  /** Which upload it came from: what makes ingesting the same event twice harmless. */
  upload: z.strictObject({ etag: z.string(), modified: z.iso.datetime() }),
  /** Digests of the plain bytes, hexadecimal: of the whole where one pass took it in, or else of its parts. */
  sha256: hex(32).optional(),
  md5: hex(16).optional(),
  /** The SHA-256 of the SHA-256s, raw, of its stretches of so many bytes (of which the last may be shorter). */
  parts: z.strictObject({ bytes: count.positive(), sha256: hex(32) }).optional(),
  body: storedObject,
  index: storedObject.extend({ kind: z.enum(['bai', 'csi', 'tbi', 'crai']) }),
  /** `tail`: how many of its last bytes open it in one read. */
  blockMap: storedObject.extend({ tail: count }),
  sortOrder: z.literal('coordinate'),
  references: count,
  records: count,
  unplacedRecords: count,
  ingested: z.iso.datetime(),
})

/** Digests of a file's plain bytes, as a manifest has them. */
export type Digests =
  | { readonly sha256: string; readonly md5: string }
  | { readonly parts: { readonly bytes: number; readonly sha256: string } }

/** What the vault knows of one served file; written last, so that a file without one does not exist. */
export type Manifest = z.infer<typeof manifestSchema>
export type StoredObject = z.infer<typeof storedObject>

/** The largest manifest that is read, in bytes: a header of some thousand recipients is far below it. */
export const maxManifestBytes = 4 << 20

/** @throws HtsvaultError MANIFEST_CORRUPT */
export function readManifest(bytes: Uint8Array, key: string): Manifest {
  try {
    return manifestSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
  } catch (cause) {
    throw new HtsvaultError('MANIFEST_CORRUPT', 'the manifest is not one that this version can read', {
      place: { file: key },
      hint: 'Upload the file again: that writes a new one.',
      cause,
    })
  }
}

export const writeManifest = (manifest: Manifest): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(manifestSchema.parse(manifest), null, 2)}\n`)
