import { HtsvaultError } from '#shared/errors.ts'
import { truncated } from './cramErrors.ts'

export interface FileDefinition {
  readonly major: 2 | 3
  readonly minor: 0 | 1
}

/** Length of the file definition, in bytes. */
export const fileDefinitionBytes = 26

/**
 * Reads a file's first 26 bytes: magic, version, file id (CRAMv3 §6). Versions 2.1, 3.0 and 3.1 are read.
 * @throws HtsvaultError NOT_CRAM, CRAM_TRUNCATED, CRAM_VERSION
 */
export function readFileDefinition(bytes: Uint8Array): FileDefinition {
  const magic = [0x43, 0x52, 0x41, 0x4d]
  if (magic.some((byte, i) => i < bytes.length && bytes[i] !== byte) || bytes.length === 0)
    throw new HtsvaultError('NOT_CRAM', 'the file does not begin with the magic of CRAM', {
      place: { offset: 0 },
      hint: 'htsfile FILE tells what it is.',
    })
  if (bytes.length < fileDefinitionBytes) throw truncated('the file ends within its definition')
  const [major, minor] = [bytes[4]!, bytes[5]!]
  if (!((major === 2 && minor === 1) || (major === 3 && (minor === 0 || minor === 1))))
    throw new HtsvaultError('CRAM_VERSION', `the file is CRAM ${major}.${minor}: 2.1, 3.0 and 3.1 are read`, {
      place: { offset: 4 },
      hint: 'samtools view -O cram,version=3.0 -T REFERENCE.fa -o NEW.cram FILE.cram, then use NEW.cram.',
    })
  return { major, minor }
}
