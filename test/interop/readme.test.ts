import { readFileSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { requireTools, run, temporaryFolder } from '#test/support/interop.ts'
import { VaultProcess } from '#test/support/VaultProcess.ts'

const root = join(import.meta.dirname, '..', '..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')

/** The README's commands that talk to a vault, in its order. */
const commands = [...readme.matchAll(/```sh\n([^]*?)```/g)]
  .flatMap(([, block]) => block!.split('\n'))
  .filter(line => /^(samtools|bcftools|curl) /.test(line))

requireTools(
  'samtools',
  'bcftools',
  'curl',
)("the README's commands", () => {
  const folder = temporaryFolder()
  const vault = new VaultProcess()
  beforeAll(async () => {
    await vault.start()
    await vault.settled('demo/child.bam', 'demo/child.cram', 'demo/trio.vcf.gz', 'demo/trio.bcf')
    await copyFile(join(root, 'demo', 'child.bam'), join(folder, 'sample.bam'))
  }, 60_000)
  afterAll(() => vault.remove())

  test('there are some of each kind', () => {
    for (const tool of ['samtools', 'bcftools', 'curl'])
      expect(commands.some(line => line.startsWith(tool))).toBe(true)
    expect(commands.length).toBeGreaterThanOrEqual(6)
  })

  test('work as they stand there, but for the port', async () => {
    for (const command of commands) {
      const here = command.replaceAll('http://127.0.0.1:8080', vault.url)
      // The sample is the demonstration's child: its references are not those of a person's.
      const { code, stdout, stderr } = await run(
        'sh',
        ['-c', here.replace('referenceName=chr20&start=1000000&end=1010000', 'referenceName=chr1')],
        { cwd: folder },
      )
      expect({ command, code, stderr: command.startsWith('curl') ? '' : stderr }).toEqual({
        command,
        code: 0,
        stderr: '',
      })
      expect(stdout.length).toBeGreaterThan(0)
      if (command.startsWith('curl')) expect(stdout.toString()).not.toContain('"error"')
      if (command.includes('-T')) await vault.settled('study/sample.bam')
    }
  }, 60_000)
})
