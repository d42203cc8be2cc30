/**
 * `htsvault stream` against `curl` of the same bytes: a running vault, the URLs of the same ticket one after another.
 *
 *     npx node bench/generate.ts bam && npx node bench/stream.ts [--scale S] [--runs N]
 *
 * Whole processes, alternated, both writing to /dev/null; what the vault itself takes is in neither's CPU time.
 */
import { spawnSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { VaultProcess } from '#test/support/VaultProcess.ts'
import { benchFile } from './generate/benchFile.ts'
import { median, shown, timeCommand, type Figures } from './timeCommand.ts'

const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, runs: { type: 'string', default: '3' } },
})
const path = benchFile('bam', Number(values.scale))
const folder = mkdtempSync(join(path, '..', 'stream-'))
const vault = new VaultProcess(folder)
try {
  mkdirSync(join(folder, 'inbox', 'bench'), { recursive: true })
  linkSync(path, join(folder, 'inbox', 'bench', 'x.bam'))
  await vault.start('--no-demo')
  await vault.settled('bench/x.bam')

  for (const [name, query, region] of [
    ['the whole file', '', []],
    ['chr1:1-5,000,000', '?referenceName=chr1&end=5000000', ['--region', 'chr1:1-5,000,000']],
  ] as const) {
    const ticket = `${vault.url}/reads/bench/x${query}`
    const urls = async () => {
      const { htsget } = (await (await fetch(ticket, { headers: { connection: 'close' } })).json()) as {
        htsget: { urls: { url: string }[] }
      }
      return htsget.urls.map(({ url }) => url).filter(url => url.startsWith('http'))
    }
    const config = join(folder, 'urls')
    writeFileSync(config, (await urls()).map(url => `url = "${url}"\noutput = "/dev/null"\n`).join(''))
    const stream = (...more: string[]) => [
      'cli/htsvault.js',
      'stream',
      'bench/x',
      '--server',
      vault.url,
      '--format',
      'BAM',
      ...region,
      ...more,
    ]
    const contenders: Record<string, () => Figures> = {
      curl: () => timeCommand('curl', ['--silent', '--fail', '--config', config]),
      stream: () => timeCommand(process.execPath, stream()),
      'stream, one at a time': () => timeCommand(process.execPath, stream('--parallel', '1')),
    }
    const size = spawnSync('curl', ['-s', '--config', config, '-w', '%{size_download}\n'], {
      encoding: 'utf8',
    })
      .stdout.split('\n')
      .reduce((sum, line) => sum + Number(line), 0)
    console.log(`${name}: ${(size / 1e6).toFixed(0)} MB in ${(await urls()).length} URLs`)
    const runs = new Map<string, Figures[]>(Object.keys(contenders).map(key => [key, []]))
    for (let i = 0; i < Number(values.runs); i++)
      for (const [key, run] of Object.entries(contenders)) runs.get(key)!.push(run())
    const curl = median(runs.get('curl')!)
    for (const [key, figures] of runs) {
      const found = median(figures)
      const part = ((100 * curl.wall) / found.wall).toFixed(0)
      console.log(
        `  ${key}: ${shown(found)}, ${(size / 1e6 / found.wall).toFixed(0)} MB/s, ${part} % of curl`,
      )
    }
  }
} finally {
  await vault.remove()
}
rmSync(folder, { recursive: true, force: true })
