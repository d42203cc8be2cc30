import type { ByteSource } from '#shared/bytes/ByteSource.ts'
import { HtsvaultError } from '#shared/errors.ts'
import type { ReferenceSource } from './ReferenceSource.ts'

interface Sequence {
  /** In bases. */
  readonly length: number
  /** Of its first base, in bytes. */
  readonly offset: number
  readonly lineBases: number
  readonly lineBytes: number
}

const decoder = new TextDecoder('latin1')

/**
 * References from a FASTA file that is not compressed, by the text of its `.fai` (as `samtools faidx` writes it).
 * @throws HtsvaultError FAI_INVALID; what the source throws
 */
export function fastaReference(fasta: ByteSource, fai: string): ReferenceSource {
  const sequences = readFai(fai)
  return {
    async read({ name }, start, end) {
      const sequence = sequences.get(name)
      if (!sequence) return undefined
      const { length, offset, lineBases, lineBytes } = sequence
      const place = (base: number) => offset + Math.floor(base / lineBases) * lineBytes + (base % lineBases)
      const stop = Math.min(end, length)
      if (start >= stop) return ''
      const text = decoder.decode(await fasta.read(place(start), place(stop - 1) + 1)).replace(/\s+/g, '')
      if (text.length !== stop - start) throw invalid('does not fit its FASTA')
      return text
    },
  }
}

function readFai(text: string): Map<string, Sequence> {
  const sequences = new Map<string, Sequence>()
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    const [name = '', ...columns] = line.trimEnd().split('\t')
    const [length = NaN, offset = NaN, lineBases = NaN, lineBytes = NaN] = columns.map(Number)
    if (
      ![length, offset, lineBases, lineBytes].every(Number.isSafeInteger) ||
      (length > 0 && !(lineBases > 0))
    )
      throw invalid('is not one')
    sequences.set(name, { length, offset, lineBases, lineBytes })
  }
  return sequences
}

const invalid = (what: string): HtsvaultError =>
  new HtsvaultError('FAI_INVALID', `the .fai index ${what}`, { hint: 'Make it again: samtools faidx FASTA' })
