/**
 * Size and start-up time of each function, bundled as it is deployed, against node alone.
 *
 *     npx node bench/startup.ts
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

const runs = 15
const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'htsvault-startup-'))

/** Median wall time of a process that loads a module and ends, in milliseconds. */
function load(module: string): number {
  const script = `globalThis.awslambda={streamifyResponse:h=>h};${module === '' ? '' : `await import(${JSON.stringify(module)});`}process.exit(0)`
  const times: number[] = []
  for (let i = 0; i < runs; i++) {
    const began = performance.now()
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      // Without it the ticket function refuses to start.
      env: { ...process.env, ACCESS: 'iam' },
    })
    if (status !== 0) throw new Error(stderr)
    times.push(performance.now() - began)
  }
  return times.sort((a, b) => a - b)[runs >> 1]!
}

try {
  const bare = load('')
  console.log(`node ${process.version} alone: ${bare.toFixed(0)} ms, medians of ${runs}`)
  for (const name of ['ingest', 'ticket', 'data', 'keypair', 'rekey']) {
    const outfile = join(folder, name, 'index.mjs')
    await build({
      entryPoints: [join(root, 'functions', name, 'index.ts')],
      outfile,
      bundle: true,
      platform: 'node',
      target: 'node24',
      format: 'esm',
      mainFields: ['module', 'main'],
      minify: true,
      banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    })
    console.log(
      `${name}: ${(statSync(outfile).size / 1000).toFixed(0)} kB, ${(load(outfile) - bare).toFixed(0)} ms more than node alone`,
    )
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
