import type { ByteSource } from '#shared/bytes/ByteSource.ts'
import { HtsvaultError } from '#shared/errors.ts'

const pieceBytes = 1 << 22

/**
 * Compares what an encrypted file decrypts to with the plain file, both read back from the disk, byte by byte.
 * @throws HtsvaultError VERIFICATION_FAILED; what reading the encrypted file throws.
 */
export async function verifyPlain(decrypted: ByteSource, plain: ByteSource): Promise<void> {
  const differ = () =>
    new HtsvaultError('VERIFICATION_FAILED', 'what was written does not match the original, which is kept', {
      hint: 'was the file changed meanwhile? Check the disk, and try again',
    })
  if (decrypted.size !== plain.size) throw differ()
  for (let at = 0; at < plain.size; at += pieceBytes) {
    const end = Math.min(plain.size, at + pieceBytes)
    const [a, b] = await Promise.all([decrypted.read(at, end), plain.read(at, end)])
    if (Buffer.compare(a, b) !== 0) throw differ()
  }
}
