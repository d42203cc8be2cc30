import { randomBytes } from 'node:crypto'
import type { Backend } from '#shared/crypt4gh/Backend.ts'
import { encryptBytes } from '#shared/crypt4gh/body/encryptBytes.ts'
import type { EditList } from '#shared/crypt4gh/editList.ts'
import { writeHeader } from '#shared/crypt4gh/header/writeHeader.ts'
import { generateKeyPair, type KeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { portableBackend } from '#shared/crypt4gh/portableBackend.ts'
import { HtsvaultError } from '#shared/errors.ts'

export const backends: readonly Backend[] = [nodeBackend, portableBackend]

/** What a generator hands out, each chunk copied: some are only valid until the next. */
export const drain = (...steps: Iterable<Uint8Array>[]): Buffer =>
  Buffer.concat(steps.flatMap(step => Array.from(step, chunk => Uint8Array.from(chunk))))

export async function drainAsync(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const copies: Uint8Array[] = []
  for await (const chunk of chunks) copies.push(Uint8Array.from(chunk))
  return Buffer.concat(copies)
}

/** Cuts bytes at these places, whatever their order. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [0, ...places.map(p => p % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return sorted.slice(1).map((end, i) => bytes.subarray(sorted[i], end))
}

/** A whole file for `reader`. */
export function makeFile(
  plain: Uint8Array,
  reader: KeyPair,
  editList?: EditList,
): { file: Buffer; dataKey: Uint8Array; headerLength: number } {
  const dataKey = randomBytes(32)
  const header = writeHeader({ dataKeys: [dataKey], editList, recipients: [reader.publicKey] }, nodeBackend)
  const file = Buffer.concat([header, encryptBytes(plain, dataKey, nodeBackend)])
  return { file, dataKey, headerLength: header.length }
}

export const newKeys = (): KeyPair => generateKeyPair(nodeBackend)

/** The code of the HtsvaultError that `act` throws; anything else it throws goes on. */
export async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act()
  } catch (error) {
    if (error instanceof HtsvaultError) return error.code
    throw error
  }
  return 'no error'
}

/** The specification's own algorithm (§4.2), word for word: what the fast one is held against. */
export function applyEditList(list: EditList, input: Uint8Array): Uint8Array {
  if (list.length === 0) return input
  const edits = [...list]
  const output: Uint8Array[] = []
  let position = 0
  do {
    position += edits.shift()!
    if (edits.length === 0) output.push(input.subarray(Math.min(position, input.length)))
    else {
      const keep = edits.shift()!
      const end = Math.min(position + keep, input.length)
      output.push(input.subarray(Math.min(position, input.length), end))
      position += keep
    }
  } while (edits.length > 0)
  return Uint8Array.from(Buffer.concat(output))
}
