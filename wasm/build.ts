/**
 * Compiles the AssemblyScript of this folder into modules of the product:
 *
 *     npm run wasm             writes them
 *     npm run wasm -- --check  fails where what is written is not what the sources make
 */
import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

interface Module {
  /** The file to compile; it may import others. */
  readonly entry: string
  /** The file to write, named for the constant in it. */
  readonly target: string
  /** Of memory, 64 KiB each. */
  readonly pages: number
}

const here = import.meta.dirname

const modules: readonly Module[] = [
  { entry: 'inflate/index.ts', target: 'shared/bgzf/inflateModule.ts', pages: 16 },
  { entry: 'vcfLines.ts', target: 'shared/vcf/vcfLinesModule.ts', pages: 2 },
  { entry: 'crc64nvme.ts', target: 'shared/bytes/crc64nvmeModule.ts', pages: 2 },
]

for (const module of modules) {
  const target = new URL(`../${module.target}`, import.meta.url)
  const made = moduleText(module, compile(module))
  if (!process.argv.includes('--check')) writeFileSync(target, made)
  else if (readFileSync(target, 'utf8') !== made)
    throw new Error(`${module.target} is not what wasm/${module.entry} makes: npm run wasm`)
}

/** As a command: importing the compiler brings its global types, in which `Array.at` is never undefined. */
function compile({ entry, pages }: Module): Uint8Array {
  const folder = mkdtempSync(path.join(tmpdir(), 'wasm-'))
  try {
    for (const file of globSync('**/*.ts', { cwd: here })) {
      mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
      writeFileSync(path.join(folder, file), forEachLane(readFileSync(path.join(here, file), 'utf8')))
    }
    const outFile = path.join(folder, 'out.wasm')
    execFileSync(
      process.execPath,
      [
        fileURLToPath(import.meta.resolve('assemblyscript/bin/asc.js')),
        entry,
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
      { cwd: folder, stdio: 'inherit' },
    )
    return readFileSync(outFile)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/**
 * Repeats what stands between `// each lane` and `// end` for the lanes B and C: names that end in A end in that. The
 * language has no macros, and what lanes keep in memory rather than in variables costs a sixth of the speed.
 */
function forEachLane(text: string): string {
  return text.replace(/^ *\/\/ each lane\n([^]*?)^ *\/\/ end\n/gm, (_, each: string) =>
    ['A', 'B', 'C'].map(lane => each.replace(/\b(\w+)A\b/g, `$1${lane}`)).join(''),
  )
}

function moduleText({ entry, target }: Module, wasm: Uint8Array): string {
  const lines = Buffer.from(wasm)
    .toString('base64')
    .match(/.{1,100}/g)!
  return [
    `// Made by \`npm run wasm\` from wasm/${entry}: change that.`,
    '',
    `/** WebAssembly, ${wasm.length} bytes, in base64. */`,
    `export const ${path.basename(target, '.ts')} =`,
    ...lines.map((line, i) => `  '${line}'${i < lines.length - 1 ? ' +' : ''}`),
    '',
  ].join('\n')
}
