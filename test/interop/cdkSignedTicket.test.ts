import { expect, test } from '@jest/globals'
import { output, requireTools } from '../support/interop.ts'

const sam = [
  '@HD\tVN:1.6\tSO:coordinate',
  '@SQ\tSN:chr1\tLN:1000',
  'r1\t0\tchr1\t5\t60\t4M\t*\t0\t0\tACGT\tIIII',
  '',
].join('\n')

/** docs/deploy.md: samtools cannot sign a request, but takes the ticket that curl has signed for. */
requireTools('samtools')('samtools, handed a ticket', () => {
  test('reads it from its standard input, and follows its URLs', async () => {
    const bam = await output('samtools', ['view', '-b', '-'], { input: sam })
    const url = `data:;base64,${bam.toString('base64')}`
    const ticket = JSON.stringify({ htsget: { format: 'BAM', urls: [{ url }] } })
    expect((await output('samtools', ['view', '-'], { input: ticket })).toString()).toMatch(
      /^r1\t0\tchr1\t5\t/,
    )
  })
})
