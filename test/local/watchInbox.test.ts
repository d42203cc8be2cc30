import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { folderStore } from '#shared/local/folderStore.ts'
import { inboxLook, watchInbox } from '#shared/local/watchInbox.ts'
import { temporaryFolder } from '#test/support/interop.ts'

const scratch = temporaryFolder()
let count = 0

/** An inbox with a folder `demo`, looked through by hand; `told` is what the look since the last call told. */
function newInbox() {
  const dir = join(scratch, String(++count))
  mkdirSync(join(dir, 'demo'), { recursive: true })
  const inbox = folderStore(dir)
  let events: string[] = []
  const callbacks = {
    onFile: ({ key }: { key: string }) => events.push(`new ${key}`),
    onRefused: ({ key }: { key: string }, report: unknown) =>
      events.push(`refused ${key} ${(report as { code: string }).code}`),
  }
  const look = inboxLook(inbox, callbacks)
  return {
    dir,
    inbox,
    callbacks,
    write: (name: string, text: string) => writeFileSync(join(dir, name), text),
    append: (name: string, text: string) => appendFileSync(join(dir, name), text),
    remove: (name: string) => rmSync(join(dir, name)),
    told: async () => {
      events = []
      await look()
      return events
    },
    refuse: async (key: string) => {
      const { etag } = (await inbox.head(key))!
      await inbox.put(`${key}.refused.json`, Buffer.from(JSON.stringify({ code: 'NOT_SORTED', etag })))
    },
  }
}

describe('looking through the inbox', () => {
  test('a file is told of at the second look that finds it as it was, and once', async () => {
    const { write, told } = newInbox()
    write('demo/x.bam', 'bytes')
    expect(await told()).toEqual([])
    expect(await told()).toEqual(['new demo/x.bam'])
    expect(await told()).toEqual([])
  })

  test('a file that grows is told of when it has stopped', async () => {
    const { write, append, told } = newInbox()
    write('demo/x.bam', 'some')
    for (let i = 0; i < 3; i++) {
      expect(await told()).toEqual([])
      append('demo/x.bam', 'more')
    }
    expect(await told()).toEqual([])
    expect(await told()).toEqual(['new demo/x.bam'])
  })

  test('a new version is told of again, and a file that came back too', async () => {
    const { write, remove, told } = newInbox()
    write('demo/x.bam', 'first')
    await told()
    await told()
    write('demo/x.bam', 'the second')
    expect(await told()).toEqual([])
    expect(await told()).toEqual(['new demo/x.bam'])
    remove('demo/x.bam')
    expect(await told()).toEqual([])
    write('demo/x.bam', 'third')
    expect(await told()).toEqual([])
    expect(await told()).toEqual(['new demo/x.bam'])
  })

  test('hidden files, refusals and unfinished uploads are not told of', async () => {
    const { inbox, write, told } = newInbox()
    write('demo/.x.bam.a1b2', 'rsync writes so')
    write('demo/x.bam.refused.json', '{"etag":"1"}')
    const upload = await inbox.create('demo/y.bam')
    await upload.write(new Uint8Array(2 << 20))
    expect([await told(), await told(), await told()]).toEqual([[], [], []])
    await upload.complete()
    expect([await told(), await told()]).toEqual([[], ['new demo/y.bam']])
  })

  test('what was refused before the start is told of as refused, not as new', async () => {
    const { write, refuse, told } = newInbox()
    write('demo/x.bam', 'bytes')
    await refuse('demo/x.bam')
    expect([await told(), await told(), await told()]).toEqual([[], ['refused demo/x.bam NOT_SORTED'], []])
  })

  test('a new version of what was refused is new', async () => {
    const { write, refuse, told } = newInbox()
    write('demo/x.bam', 'bytes')
    await refuse('demo/x.bam')
    write('demo/x.bam', 'other bytes')
    expect([await told(), await told()]).toEqual([[], ['new demo/x.bam']])
    await refuse('demo/x.bam')
    // Refused by those who were told of it: they know.
    expect([await told(), await told()]).toEqual([[], []])
  })

  test('taking the refusal away asks for another try', async () => {
    const { write, refuse, remove, told } = newInbox()
    write('demo/x.bam', 'bytes')
    await told()
    expect(await told()).toEqual(['new demo/x.bam'])
    await refuse('demo/x.bam')
    expect(await told()).toEqual([])
    remove('demo/x.bam.refused.json')
    expect(await told()).toEqual(['new demo/x.bam'])
    expect(await told()).toEqual([])
  })

  test.each(['', '{"etag":', 'null', '[]', '{"etag":7}'])(
    'a refusal %j does not hold a file up',
    async text => {
      const { write, told } = newInbox()
      write('demo/x.bam', 'bytes')
      write('demo/x.bam.refused.json', text)
      expect([await told(), await told()]).toEqual([[], ['new demo/x.bam']])
    },
  )
})

describe('watching the inbox', () => {
  test('tells of files by itself, and of none when closed', async () => {
    const { inbox, write } = newInbox()
    write('demo/x.bam', 'there at the start')
    const found: string[] = []
    const arrivals: (() => void)[] = []
    const arrival = () => new Promise<void>(resolve => arrivals.push(resolve))
    const onFile = ({ key }: { key: string }) => {
      found.push(key)
      arrivals.shift()?.()
    }
    const first = arrival()
    const watch = watchInbox(inbox, { onFile }, { everyMs: 5 })
    await first
    const second = arrival()
    write('demo/y.bam', 'later')
    await second
    await watch.close()
    expect(found).toEqual(['demo/x.bam', 'demo/y.bam'])
  })

  test('goes on after a look that failed', async () => {
    const { inbox, write } = newInbox()
    write('demo/x.bam', 'bytes')
    let broken = true
    const errors: unknown[] = []
    const store = {
      ...inbox,
      list: (prefix: string) => {
        if (broken) throw new Error('the disk is away')
        return inbox.list(prefix)
      },
    }
    const key = await new Promise<string>(resolve => {
      const watch = watchInbox(
        store,
        {
          onFile: upload => {
            void watch.close()
            resolve(upload.key)
          },
          onError: error => {
            errors.push(error)
            broken = false
          },
        },
        { everyMs: 5 },
      )
    })
    expect(key).toBe('demo/x.bam')
    expect(errors).toHaveLength(1)
  })
})
