/**
 * Compiles `inflate.ts` (AssemblyScript) into `shared/bgzf/inflateModule.ts`:
 *
 *     npm run wasm             writes it
 *     npm run wasm -- --check  fails where what is written is not what the source makes
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { main } from 'assemblyscript/asc'

const target = new URL('../shared/bgzf/inflateModule.ts', import.meta.url)

const made = moduleText(await compile())
if (!process.argv.includes('--check')) writeFileSync(target, made)
else if (readFileSync(target, 'utf8') !== made)
  throw new Error('shared/bgzf/inflateModule.ts is not what wasm/inflate.ts makes: npm run wasm')

async function compile(): Promise<Uint8Array> {
  let wasm: Uint8Array | undefined
  let messages = ''
  const { error } = await main(
    [
      'inflate.ts',
      '--outFile',
      'inflate.wasm',
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
    {
      readFile: name => (name === 'inflate.ts' ? readFileSync(new URL(name, import.meta.url), 'utf8') : null),
      writeFile: (_name, bytes) => void (wasm = bytes as Uint8Array),
      listFiles: () => [],
      stderr: { write: text => void (messages += String(text)) },
    },
  )
  if (error || !wasm) throw new Error(messages, { cause: error })
  return wasm
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
