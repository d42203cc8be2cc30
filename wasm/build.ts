/**
 * Compiles `inflate.ts` (AssemblyScript) into `shared/bgzf/inflateModule.ts`:
 *
 *     npm run wasm             writes it
 *     npm run wasm -- --check  fails where what is written is not what the source makes
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const target = new URL('../shared/bgzf/inflateModule.ts', import.meta.url)

const made = moduleText(compile())
if (!process.argv.includes('--check')) writeFileSync(target, made)
else if (readFileSync(target, 'utf8') !== made)
  throw new Error('shared/bgzf/inflateModule.ts is not what wasm/inflate.ts makes: npm run wasm')

/** As a command: importing the compiler brings its global types, in which `Array.at` is never undefined. */
function compile(): Uint8Array {
  const folder = mkdtempSync(path.join(tmpdir(), 'wasm-'))
  try {
    const outFile = path.join(folder, 'inflate.wasm')
    execFileSync(
      process.execPath,
      [
        fileURLToPath(import.meta.resolve('assemblyscript/bin/asc.js')),
        'inflate.ts',
        '--outFile',
        outFile,
        '-O3',
        '--enable',
        'simd',
        '--converge',
        // No allocation, no checks within that could call out: the module imports nothing.
        '--runtime',
        'stub',
        '--noAssert',
        '--initialMemory',
        '4',
        '--maximumMemory',
        '4',
      ],
      { cwd: fileURLToPath(new URL('.', import.meta.url)), stdio: 'inherit' },
    )
    return readFileSync(outFile)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function moduleText(wasm: Uint8Array): string {
  const lines = Buffer.from(wasm)
    .toString('base64')
    .match(/.{1,100}/g)!
  return [
    '// Made by `npm run wasm` from wasm/inflate.ts: change that.',
    '',
    `/** WebAssembly, ${wasm.length} bytes, in base64. */`,
    'export const inflateModule =',
    ...lines.map((line, i) => `  '${line}'${i < lines.length - 1 ? ' +' : ''}`),
    '',
  ].join('\n')
}
