import { describe, expect, jest, test } from '@jest/globals'
import { printError } from '#cli/printError.ts'
import { formatStatus } from '#cli/serve/messages.ts'
import { HtsvaultError } from '#shared/errors.ts'

const clear = '\u001b[2J'
const evil = `a${clear}\u009b1m\r\nserved    x\u202e.bam`

/** What a terminal would take for more than text. */
const commands = /[\u0000-\u001f\u007f-\u009f\u202e]/

describe('the name of an upload is text for a terminal, whatever is in it', () => {
  test('in the line of its state', () => {
    const status = {
      dataset: 'd',
      name: evil,
      state: 'refused',
      bytes: 1,
      changed: '',
      code: 'X',
      message: evil,
    }
    const line = formatStatus(status as unknown as Parameters<typeof formatStatus>[0])
    expect(line).not.toMatch(commands)
    expect(line).toContain('d/a\ufffd[2J')
  })

  test('in an error', () => {
    const print = jest.spyOn(console, 'error').mockImplementation(() => undefined)
    printError(new HtsvaultError('INVALID_NAME', `first\n${clear}second`, { place: { file: evil } }))
    const [[said]] = print.mock.calls as [[string]]
    print.mockRestore()
    expect(said.replace('\n', '')).not.toMatch(commands)
    expect(said).toMatch(/: first\n\ufffd\[2Jsecond \(INVALID_NAME\)$/)
  })
})
