/**
 * Compiles the AssemblyScript of this folder into modules of the product:
 *
 *     npm run wasm             writes them
 *     npm run wasm -- --check  fails where what is written is not what the sources make
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

interface Module {
  readonly source: string
  readonly target: string
  /** Of memory, 64 KiB each. */
  readonly pages: number
}

const modules: readonly Module[] = [
  { source: 'inflate', target: 'shared/bgzf/inflateModule.ts', pages: 4 },
  { source: 'crc64nvme', target: 'shared/bytes/crc64nvmeModule.ts', pages: 2 },
]

for (const module of modules) {
  const target = new URL(`../${module.target}`, import.meta.url)
  const made = moduleText(module, compile(module))
  if (!process.argv.includes('--check')) writeFileSync(target, made)
  else if (readFileSync(target, 'utf8') !== made)
    throw new Error(`${module.target} is not what wasm/${module.source}.ts makes: npm run wasm`)
}

/** As a command: importing the compiler brings its global types, in which `Array.at` is never undefined. */
function compile({ source, pages }: Module): Uint8Array {
  const folder = mkdtempSync(path.join(tmpdir(), 'wasm-'))
  try {
    const outFile = path.join(folder, 'out.wasm')
    execFileSync(
      process.execPath,
      [
        fileURLToPath(import.meta.resolve('assemblyscript/bin/asc.js')),
        `${source}.ts`,
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
        String(pages),
        '--maximumMemory',
        String(pages),
      ],
      { cwd: fileURLToPath(new URL('.', import.meta.url)), stdio: 'inherit' },
    )
    return readFileSync(outFile)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function moduleText({ source }: Module, wasm: Uint8Array): string {
  const lines = Buffer.from(wasm)
    .toString('base64')
    .match(/.{1,100}/g)!
  return [
    `// Made by \`npm run wasm\` from wasm/${source}.ts: change that.`,
    '',
    `/** WebAssembly, ${wasm.length} bytes, in base64. */`,
    `export const ${source}Module =`,
    ...lines.map((line, i) => `  '${line}'${i < lines.length - 1 ? ' +' : ''}`),
    '',
  ].join('\n')
}
