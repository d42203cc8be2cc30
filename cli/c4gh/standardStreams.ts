import { HtsvaultError } from '#shared/errors.ts'
import { readFd, writeFd } from '../files/fdStreams.ts'

/** @throws HtsvaultError INPUT_MISSING where it is a terminal: nobody types a genome. */
export function standardInput(): AsyncIterable<Uint8Array> {
  if (process.stdin.isTTY)
    throw new HtsvaultError('INPUT_MISSING', 'no FILE was named and standard input is a terminal', {
      hint: 'name files, or redirect: < FILE',
    })
  return readFd(0, 'standard input')
}

/** Writes all chunks, each before the next is asked for. @throws HtsvaultError OUTPUT_CLOSED, DISK_FULL. */
export async function writeStandardOutput(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of chunks) await writeFd(1, chunk, 'standard output')
}
