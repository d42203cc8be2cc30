/**
 * The whole ingest (check, index, block map, sha256 and md5, Crypt4GH, manifest) into a folder, against the peers' way:
 * samtools index, then sha256sum, then the Crypt4GH reference, one after the other.
 *
 *     npx node bench/generate.ts bam cram && npx node bench/ingest.ts [--runs N] [--scale S]
 *
 * Needs samtools, GNU time, openssl, npm's esbuild, and the reference (`crypt4gh`) on PATH.
 */
import { spawnSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { isMainThread } from 'node:worker_threads'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { writePublicKey } from '#shared/crypt4gh/keys/writePublicKey.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { folderStore } from '#shared/local/folderStore.ts'
import { keyFile } from '#shared/local/keyFile.ts'
import { ingestUpload } from '#shared/vault/ingestUpload.ts'
import { bundle } from './bundle.ts'
import { benchFile } from './generate/benchFile.ts'
import { median, shown, timeCommand, type Figures } from './timeCommand.ts'

const { values, positionals } = parseArgs({
  options: { runs: { type: 'string', default: '3' }, scale: { type: 'string', default: '1' } },
  allowPositionals: true,
})
const [one] = positionals
// The indexing thread runs this file too, which has what it does.
if (isMainThread) {
  if (one !== undefined) await ingestOne(one)
  else await compare()
}

/** What is measured: one upload, from the inbox to its manifest, in a process of its own, bundled as it is deployed. */
async function ingestOne(folder: string): Promise<void> {
  const ports = {
    inbox: folderStore(join(folder, 'inbox')),
    vault: folderStore(join(folder, 'vault')),
    keys: keyFile(folder),
  }
  const outcome = await ingestUpload(ports, 'bench/x')
  if (outcome.state !== 'served') throw new Error(JSON.stringify(outcome))
}

/**
 * Has the machine hand out, and take back, as many pages as are written next: a virtual one may take 2 s a GB the first
 * time and 0.4 s the next, which is nobody's work here.
 */
function warmPageCache(folder: string, megabytes: number): void {
  const file = join(folder, 'pages')
  spawnSync('dd', ['if=/dev/zero', `of=${file}`, 'bs=1M', `count=${Math.ceil(megabytes * 1.1)}`])
  rmSync(file)
}

async function compare(): Promise<void> {
  for (const name of ['bam', 'cram'] as const) {
    const path = benchFile(name, Number(values.scale))
    const megabytes = statSync(path).size / 1e6
    const scratch = mkdtempSync(join(path, '..', 'ingest-'))
    try {
      const bundled = join(scratch, 'ingest.mjs')
      await bundle(import.meta.filename, bundled)
      const publicKey = join(scratch, 'x.pub')
      writeFileSync(publicKey, writePublicKey(generateKeyPair(nodeBackend).publicKey))
      const ours: Figures[] = []
      const theirs: Figures[][] = []
      for (let i = 0; i < Number(values.runs); i++) {
        const folder = join(scratch, String(i))
        mkdirSync(join(folder, 'inbox', 'bench'), { recursive: true })
        // A hard link: the upload is deleted at the end, the file stays.
        linkSync(path, join(folder, 'inbox', 'bench', 'x'))
        warmPageCache(scratch, megabytes)
        ours.push(timeCommand(process.execPath, [bundled, folder]))
        rmSync(folder, { recursive: true })
        rmSync(join(scratch, 'peer.c4gh'), { force: true })
        warmPageCache(scratch, megabytes)
        theirs.push([
          timeCommand('samtools', ['index', path, join(scratch, 'peer.index')]),
          timeCommand('sha256sum', [path]),
          timeCommand('sh', [
            '-c',
            `crypt4gh encrypt --recipient_pk '${publicKey}' < '${path}' > '${join(scratch, 'peer.c4gh')}' 2>/dev/null`,
          ]),
        ])
      }
      const mine = median(ours)
      const [index, digest, encrypt] = [0, 1, 2].map(i => median(theirs.map(runs => runs[i]!))) as [
        Figures,
        Figures,
        Figures,
      ]
      console.log(`\n${name}, ${megabytes.toFixed(0)} MB, medians of ${ours.length}`)
      console.log(`  ingest                 ${shown(mine)}, ${(megabytes / mine.wall).toFixed(0)} MB/s`)
      console.log(`  samtools index         ${shown(index)}`)
      console.log(`  sha256sum              ${shown(digest)}`)
      console.log(`  crypt4gh encrypt       ${shown(encrypt)}`)
      console.log(
        `  ratio to index + encrypt            ${(mine.wall / (index.wall + encrypt.wall)).toFixed(2)}`,
      )
      console.log(
        `  ratio to index + sha256 + encrypt   ${(mine.wall / (index.wall + digest.wall + encrypt.wall)).toFixed(2)}`,
      )
    } finally {
      rmSync(scratch, { recursive: true, force: true })
    }
  }
  const openssl = spawnSync(
    'openssl',
    ['speed', '-seconds', '2', '-evp', 'chacha20-poly1305', '-bytes', '65536'],
    { encoding: 'utf8' },
  )
  console.log(`\nopenssl speed, 64 KiB: ${openssl.stdout.trim().split('\n').at(-1) ?? 'not there'}`)
}
