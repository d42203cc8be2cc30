import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Format } from '#shared/indexes/FileIndexer.ts'
import { reblock } from './reblock.ts'
import { variantText } from './variantText.ts'

const root = join(import.meta.dirname, '..', '..')
const read = (path: string) => readFileSync(join(root, path))

/** Makes it once; every caller has a copy, which it may change. */
function once(make: () => Buffer): () => Buffer {
  let made: Buffer | undefined
  return () => Buffer.from((made ??= make()))
}

/** Cuts a file's blocks anew and stores them, so that it has many segments of 64 KiB. */
const stored = (path: string, sizes: readonly number[]) =>
  once(() => reblock(gunzipSync(read(path)), { sizeOf: block => sizes[block % sizes.length]!, level: 0 }))

export interface LargeFile {
  readonly name: string
  readonly format: Format
  readonly bytes: () => Buffer
}

/** Files of some hundred kB, which shards of a segment cut in the middle of blocks, records and headers. */
export const largeFiles: readonly LargeFile[] = [
  { name: 'reads.bam', format: 'BAM', bytes: stored('demo/child.bam', [60_000, 1, 0, 3000, 17]) },
  {
    name: 'many.vcf.gz',
    format: 'VCF',
    bytes: stored('test/fixtures/vcf/many-contigs.vcf.gz', [65_000, 30]),
  },
  {
    name: 'many.bam',
    format: 'BAM',
    bytes: stored('test/fixtures/bam/many-references.bam', [60_000, 1]),
  },
  { name: 'reads.cram', format: 'CRAM', bytes: () => read('demo/child.cram') },
  {
    name: 'many.cram',
    format: 'CRAM',
    bytes: () => read('test/fixtures/cram/many-references-2.1.cram'),
  },
  { name: 'trio.bcf', format: 'BCF', bytes: stored('demo/trio.bcf', [50_000, 700]) },
  {
    name: 'sites.vcf.gz',
    format: 'VCF',
    bytes: once(() =>
      reblock(
        Buffer.from(
          variantText({
            seed: 7,
            contigs: [{ name: 'chr1', length: 3e6 }, { name: 'chr2' }, { name: 'chrUn', header: false }],
            records: 1500,
            samples: 2,
            symbolic: 0.05,
          }),
        ),
        { sizeOf: block => [40_000, 900, 0][block % 3]!, level: 0 },
      ),
    ),
  },
]
