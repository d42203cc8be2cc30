import { openSync, writeSync } from 'node:fs'
import { ReadStream } from 'node:tty'
import { HtsvaultError } from '#shared/errors.ts'

/** Asks on the terminal, whatever standard input is, and shows nothing of the answer; undefined without a terminal. */
export async function promptHidden(question: string): Promise<string | undefined> {
  let fd: number
  try {
    fd = openSync('/dev/tty', 'r+')
  } catch {
    return undefined
  }
  writeSync(fd, question)
  const terminal = new ReadStream(fd)
  terminal.setRawMode(true)
  terminal.setEncoding('utf8')
  try {
    return await readLine(terminal)
  } finally {
    terminal.setRawMode(false)
    writeSync(fd, '\n')
    terminal.destroy()
  }
}

async function readLine(terminal: ReadStream): Promise<string> {
  let line = ''
  for await (const chunk of terminal.iterator({ destroyOnReturn: false }) as AsyncIterable<string>)
    for (const key of chunk) {
      if (key === '\r' || key === '\n' || key === '\u0004') return line
      if (key === '\u0003') throw new HtsvaultError('INTERRUPTED', 'interrupted')
      line = key === '\u007f' || key === '\b' ? Array.from(line).slice(0, -1).join('') : line + key
    }
  return line
}
