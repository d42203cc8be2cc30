import { HtsvaultError } from '#shared/errors.ts'
import { BgzfReader } from './BgzfReader.ts'

/**
 * Inflates a whole BGZF file that is small enough to be held, such as an index.
 * @throws HtsvaultError FILE_TOO_LARGE above `maxBytes` plain bytes; as BgzfReader else.
 */
export function readBgzf(bytes: Uint8Array, maxBytes = 2 ** 30): Uint8Array {
  const blocks: Uint8Array[] = []
  let size = 0
  const reader = new BgzfReader((plain, offset) => {
    size += plain.length
    if (size > maxBytes)
      throw new HtsvaultError('FILE_TOO_LARGE', `the file inflates to more than ${maxBytes} bytes`, {
        place: { offset },
      })
    blocks.push(plain.slice())
  })
  reader.push(bytes)
  reader.finish()
  const out = new Uint8Array(size)
  let at = 0
  for (const block of blocks) {
    out.set(block, at)
    at += block.length
  }
  return out
}
