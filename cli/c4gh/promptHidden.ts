import { openSync, writeSync } from 'node:fs'
import { ReadStream } from 'node:tty'
import { HtsvaultError } from '#shared/errors.ts'

/**
 * Asks on the terminal, whatever standard input is, and shows nothing of the answers; undefined without a terminal.
 * @throws HtsvaultError INTERRUPTED by Ctrl-C.
 */
export async function promptHidden(...questions: string[]): Promise<string[] | undefined> {
  let fd: number
  try {
    fd = openSync('/dev/tty', 'r+')
  } catch {
    return undefined
  }
  const terminal = new ReadStream(fd)
  terminal.setRawMode(true)
  terminal.setEncoding('utf8')
  try {
    const keys = keysOf(terminal)
    const answers: string[] = []
    for (const question of questions) {
      writeSync(fd, question)
      answers.push(await readLine(keys))
      writeSync(fd, '\n')
    }
    return answers
  } finally {
    terminal.setRawMode(false)
    terminal.destroy()
  }
}

async function* keysOf(terminal: ReadStream): AsyncGenerator<string, void> {
  for await (const chunk of terminal as AsyncIterable<string>) yield* chunk
}

async function readLine(keys: AsyncIterator<string>): Promise<string> {
  let line = ''
  for (;;) {
    const next = await keys.next()
    if (next.done === true) return line
    const key = next.value
    if (key === '\r' || key === '\n' || key === '\u0004') return line
    if (key === '\u0003') throw new HtsvaultError('INTERRUPTED', 'interrupted')
    line = key === '\u007f' || key === '\b' ? Array.from(line).slice(0, -1).join('') : line + key
  }
}
