import { writeFd } from '../files/fdStreams.ts'
import { checkFile } from './checkFile.ts'
import { formatReport } from './formatReport.ts'

export interface CheckOptions {
  readonly json?: boolean
}

/** Prints the report of each file when it is read through; the exit code is 1 where one is not sound. */
export async function checkFiles(files: readonly string[], { json = false }: CheckOptions): Promise<void> {
  for (const file of files) {
    const checked = await checkFile(file)
    if (!checked.sound) process.exitCode = 1
    const report = json ? `${JSON.stringify(checked)}\n` : formatReport(checked)
    await writeFd(1, Buffer.from(report), 'standard output')
  }
}
