import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { HtsvaultError } from '#shared/errors.ts'
import type { Format } from '#shared/indexes/FileIndexer.ts'
import { findManifest } from '#shared/vault/findManifest.ts'
import { fileId, parseUploadKey } from '#shared/vault/names.ts'
import { openStored } from '#shared/vault/openStored.ts'
import { writeFd } from '../files/fdStreams.ts'
import { OutputFile } from '../files/OutputFile.ts'
import { openLocalVault } from '../openLocalVault.ts'
import type { GetOptions } from './command.ts'

/** Writes a file of a local vault, or a part of it, decrypted, to standard output or to a file. */
export async function get(file: string, options: GetOptions): Promise<void> {
  const ports = openLocalVault(options.data)
  const upload = parseUploadKey(file)
  const manifest = await findManifest(ports.vault, fileId(upload), formatsOf(upload.name))
  if (!manifest)
    throw new HtsvaultError('NOT_FOUND', 'the vault serves no file of that name', {
      place: { file },
      hint: `Is ${options.data} the vault's folder (--data)? What it serves: http://127.0.0.1:PORT/status while it runs.`,
    })
  const part = { body: manifest.body, index: manifest.index, 'block-map': manifest.blockMap }[options.part]
  const source = await openStored(ports, part)
  const chunks = source.stream(0, source.size)
  if (options.output === undefined) {
    await pipeline(Readable.from(chunks), process.stdout, { end: false })
    return
  }
  const output = new OutputFile(options.output, { force: true })
  try {
    for await (const chunk of chunks) await writeFd(output.fd, chunk, options.output)
    output.commit()
  } finally {
    output.abort()
  }
}

/** The format that the name's ending tells of first: an id may be served in two. */
function formatsOf(name: string): Format[] {
  const all: Format[] = ['BAM', 'CRAM', 'VCF', 'BCF']
  const ending =
    /\.(bam|cram|bcf)(\.c4gh)?$/i.exec(name)?.[1]?.toUpperCase() ??
    (/\.vcf(\.gz|\.bgz)?(\.c4gh)?$/i.test(name) ? 'VCF' : undefined)
  return all.sort((a, b) => Number(b === ending) - Number(a === ending))
}
