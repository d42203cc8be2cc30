import { HtsvaultError } from '#shared/errors.ts'

const fetchAgain =
  'This copy is damaged: fetch it again, or make it again from its source (samtools view -O cram).'

/** What stands in the file is not CRAM as CRAMv3 describes it. */
export const corrupt = (what: string, cause?: unknown): HtsvaultError =>
  new HtsvaultError('CRAM_CORRUPT', what, { hint: fetchAgain, cause })

/** The file ends before what it announces. */
export const truncated = (what: string): HtsvaultError =>
  new HtsvaultError('CRAM_TRUNCATED', what, {
    hint: 'The file was cut off: compare its size with the source and copy it again.',
  })

/** A checksum does not agree with its bytes. */
export const badCrc = (what: string): HtsvaultError =>
  new HtsvaultError('CRAM_CRC', `the CRC32 of ${what} does not agree with its bytes`, { hint: fetchAgain })

/** Well-formed as far as it is known, but not something that is read here. */
export const unsupported = (what: string): HtsvaultError =>
  new HtsvaultError('CRAM_UNSUPPORTED', what, {
    hint: 'samtools view -O cram,version=3.0 -T REFERENCE.fa -o NEW.cram FILE.cram, then use NEW.cram.',
  })

/** A declared size or count is over what is held in memory for it. */
export const tooLarge = (what: string): HtsvaultError =>
  new HtsvaultError('CRAM_TOO_LARGE', what, {
    hint: 'samtools view -O cram,seqs_per_slice=10000 -T REFERENCE.fa -o NEW.cram FILE.cram, then use NEW.cram.',
  })
