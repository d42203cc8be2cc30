import * as z from 'zod'
import type { ErrorReport } from '#shared/errors.ts'
import type { Manifest } from './Manifest.ts'
import { baseKey, manifestKey } from './names.ts'

const count = z.int().nonnegative()

/** Of `FileReady`: the file can be asked for by its id. Nothing of what is inside it, besides counts. */
export const fileReadySchema = z.strictObject({
  version: z.literal(1),
  id: z.string().min(1).describe('the htsget id'),
  dataset: z.string().min(1),
  name: z.string().min(1).describe('the name it was uploaded under, within the dataset'),
  format: z.enum(['BAM', 'CRAM', 'VCF', 'BCF']),
  encryption: z.enum(['crypt4gh', 'none']),
  bytes: count.describe('length of the plain file'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional()
    .describe('of the plain file; absent where it was taken in by parts'),
  records: count,
  manifest: z.string().min(1).describe("key of the manifest in the vault's bucket"),
  etag: z.string().min(1).describe('of the upload: the same in every announcement of one upload'),
  ingested: z.iso.datetime(),
})

/** Of `FileRefused`: the upload is still in the inbox, and the same report lies beside it. */
export const fileRefusedSchema = z.strictObject({
  version: z.literal(1),
  upload: z.string().min(1).describe("key of the upload in the inbox's bucket"),
  etag: z.string().min(1).describe('of the upload: the same in every announcement of one upload'),
  code: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
  message: z.string(),
  hint: z.string().optional(),
})

/** What the vault tells the world of a file, at least once each. */
export type Announcement =
  | { readonly type: 'FileReady'; readonly detail: z.infer<typeof fileReadySchema> }
  | { readonly type: 'FileRefused'; readonly detail: z.infer<typeof fileRefusedSchema> }

/** The file is served. */
export const fileReady = (manifest: Manifest): Announcement => ({
  type: 'FileReady',
  detail: fileReadySchema.parse({
    version: 1,
    id: manifest.id,
    dataset: manifest.dataset,
    name: manifest.name,
    format: manifest.format,
    encryption: manifest.encryption,
    bytes: manifest.body.plainSize,
    sha256: manifest.sha256,
    records: manifest.records,
    manifest: manifestKey(baseKey(manifest.id, manifest.format)),
    etag: manifest.upload.etag,
    ingested: manifest.ingested,
  }),
})

/** The file cannot be served as it is. */
export const fileRefused = (upload: { key: string; etag: string }, report: ErrorReport): Announcement => ({
  type: 'FileRefused',
  detail: fileRefusedSchema.parse({
    version: 1,
    upload: upload.key,
    etag: upload.etag,
    code: report.code,
    message: report.message,
    hint: report.hint,
  }),
})
