import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Command, Option } from 'commander'
import { HtsvaultError } from '#shared/errors.ts'
import type { Format } from '#shared/indexes/FileIndexer.ts'
import { findManifest } from '#shared/vault/findManifest.ts'
import { fileId, parseUploadKey } from '#shared/vault/names.ts'
import { openStored } from '#shared/vault/openStored.ts'
import { dataOption } from '../dataOption.ts'
import { openLocalVault } from '../openLocalVault.ts'

interface Options {
  readonly data: string
  readonly part: 'body' | 'index' | 'block-map'
  readonly output?: string
}

/** `htsvault get`: a file of a local vault, its index or its block map, decrypted. */
export function getCommand(): Command {
  return new Command('get')
    .description('write a file of the vault, or its index, decrypted, to standard output or to a file')
    .argument('<file>', '<dataset>/<name>, as it was uploaded')
    .addOption(dataOption())
    .addOption(
      new Option('--part <part>', 'what of it').choices(['body', 'index', 'block-map']).default('body'),
    )
    .option('-o, --output <file>', 'write to this file')
    .addHelpText(
      'after',
      `
Examples:
  htsvault get demo/child.bam -o child.bam
  htsvault get demo/child.bam --part index -o child.bam.bai
  htsvault get demo/child.cram | samtools view -`,
    )
    .action(get)
}

async function get(file: string, options: Options): Promise<void> {
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
  const bytes = Readable.from(source.stream(0, source.size))
  if (options.output === undefined) {
    await pipeline(bytes, process.stdout, { end: false })
    return
  }
  const temporary = `${options.output}.${process.pid}.tmp`
  try {
    await pipeline(bytes, createWriteStream(temporary, { flags: 'wx' }))
    await rename(temporary, options.output)
  } finally {
    await rm(temporary, { force: true })
  }
}

/** The format that the name's ending tells of first: an id may be served in two. */
function formatsOf(name: string): Format[] {
  const all: Format[] = ['BAM', 'CRAM', 'VCF', 'BCF']
  const ending =
    /\.(bam|cram|bcf)$/i.exec(name)?.[1]?.toUpperCase() ??
    (/\.vcf(\.gz|\.bgz)?$/i.test(name) ? 'VCF' : undefined)
  return all.sort((a, b) => Number(b === ending) - Number(a === ending))
}
