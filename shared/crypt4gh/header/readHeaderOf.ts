import type { ByteSource } from '#shared/bytes/ByteSource.ts'
import type { Header } from './Header.ts'
import { HeaderScanner } from './HeaderScanner.ts'
import { readHeader } from './readHeader.ts'

/** What the first read asks for, in bytes: the header of about thirty readers. */
const firstRead = 4096

/**
 * Reads a file's header from storage, in one read where it is of an ordinary size.
 * @throws HtsvaultError as readHeader.
 */
export async function readHeaderOf(source: ByteSource): Promise<Header> {
  const scanner = new HeaderScanner()
  let length = Math.min(source.size, firstRead)
  for (;;) {
    const prefix = await source.read(0, length)
    if (scanner.advance(prefix) || length === source.size) return readHeader(prefix)
    // Twice as much each time, so that a header of many packets is not read packet by packet.
    length = Math.min(source.size, Math.max(scanner.needed, length * 2))
  }
}
