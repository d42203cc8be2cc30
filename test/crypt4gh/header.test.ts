import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Header } from '#shared/crypt4gh/header/Header.ts'
import { HeaderCollector } from '#shared/crypt4gh/header/HeaderCollector.ts'
import { headerLength } from '#shared/crypt4gh/header/HeaderScanner.ts'
import { openHeader } from '#shared/crypt4gh/header/openHeader.ts'
import { readHeader } from '#shared/crypt4gh/header/readHeader.ts'
import { reencryptHeader } from '#shared/crypt4gh/header/reencryptHeader.ts'
import { joinPackets, sealPackets, writeHeader } from '#shared/crypt4gh/header/writeHeader.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { backends, codeOf, cutAt, newKeys } from './support.ts'

const dataKey = (n: number) => new Uint8Array(32).fill(n)
const [alice, bob, carol] = [newKeys(), newKeys(), newKeys()]
const write = (recipients: { publicKey: Uint8Array }[], dataKeys = [dataKey(1)], editList?: number[]) =>
  writeHeader({ dataKeys, editList, recipients: recipients.map(r => r.publicKey) }, nodeBackend)
const sealed = (...payloads: Uint8Array[]): Header =>
  readHeader(joinPackets(sealPackets(payloads, [alice.publicKey], undefined, nodeBackend)))
const u32s = (...values: number[]) => new Uint8Array(Uint32Array.from(values).buffer)
const keyPayload = (n: number) => Uint8Array.of(...u32s(0, 0), ...dataKey(n))

describe.each(backends)('headers, $name', backend => {
  test('what is written is read, by either backend', () => {
    const header = writeHeader(
      { dataKeys: [dataKey(1), dataKey(2)], editList: [3, 4], recipients: [alice.publicKey, bob.publicKey] },
      backend,
    )
    expect(header.length).toBe(16 + 2 * (108 + 108 + 92))
    for (const other of backends)
      for (const reader of [alice, bob])
        expect(openHeader(readHeader(header), reader, other)).toEqual({
          dataKeys: [dataKey(1), dataKey(2)],
          editList: [3, 4],
        })
  })

  test('a header for one reader has 124 bytes', () => {
    expect(writeHeader({ dataKeys: [dataKey(1)], recipients: [alice.publicKey] }, backend).length).toBe(124)
  })

  test('another reader’s key opens nothing', async () => {
    expect(await codeOf(() => openHeader(readHeader(write([alice])), bob, backend))).toBe(
      'CRYPT4GH_WRONG_KEY',
    )
  })

  test('a recipient’s key of low order is refused; a packet written with one is not opened', async () => {
    const zero = new Uint8Array(32)
    expect(await codeOf(() => writeHeader({ dataKeys: [zero], recipients: [zero] }, backend))).toBe(
      'KEY_INVALID',
    )
    const header = write([alice])
    header.fill(0, 24, 56)
    expect(await codeOf(() => openHeader(readHeader(header), alice, backend))).toBe('CRYPT4GH_WRONG_KEY')
  })

  test('keys that the caller wipes are not needed any more', () => {
    const key = dataKey(7)
    const cipher = backend.cipher(key)
    const before = new Uint8Array(19)
    cipher.seal(new Uint8Array(12), Uint8Array.of(1, 2, 3), before)
    key.fill(0)
    expect(backend.cipher(dataKey(7)).open(new Uint8Array(12), before, new Uint8Array(3))).toBe(true)
    const after = new Uint8Array(19)
    cipher.seal(new Uint8Array(12), Uint8Array.of(1, 2, 3), after)
    expect(after).toEqual(before)
  })
})

describe('reading a header', () => {
  const header = write([alice, bob], [dataKey(1), dataKey(2)], [5, 6, 7, 8])

  test('comes out the same however it is cut, and leaves the body', () => {
    const file = Buffer.concat([header, Buffer.from('the body')])
    fc.assert(
      fc.property(fc.array(fc.nat(file.length)), places => {
        const collector = new HeaderCollector()
        const rest = cutAt(file, places).map(chunk => Uint8Array.from(collector.push(chunk)))
        expect(collector.header?.length).toBe(header.length)
        expect(Buffer.concat(rest).toString()).toBe('the body')
        expect(openHeader(collector.header!, alice, nodeBackend).editList).toEqual([5, 6, 7, 8])
      }),
    )
  })

  test('says how many bytes it needs, never more than there are', () => {
    for (let have = 0; have < header.length; have++) {
      const { needed, complete } = headerLength(header.subarray(0, have))
      expect(needed).toBeGreaterThan(have === needed && complete ? 0 : have)
      expect(needed).toBeLessThanOrEqual(header.length)
    }
    expect(headerLength(header)).toEqual({ needed: header.length, complete: true })
  })

  test('cut anywhere it is truncated, empty it is not Crypt4GH', async () => {
    for (let length = 1; length < header.length; length++)
      expect(await codeOf(() => readHeader(header.subarray(0, length)))).toBe('CRYPT4GH_TRUNCATED')
    expect(await codeOf(() => readHeader(new Uint8Array()))).toBe('NOT_CRYPT4GH')
  })

  const changed = (at: number, value: number, bytes = 4) => {
    const copy = Buffer.from(header)
    copy.writeUIntLE(value, at, bytes)
    return copy
  }
  test.each([
    ['other magic', changed(0, 1, 1), 'NOT_CRYPT4GH'],
    ['version 2', changed(8, 2), 'CRYPT4GH_VERSION_UNSUPPORTED'],
    ['65,537 packets', changed(12, 65537), 'CRYPT4GH_HEADER_TOO_LARGE'],
    ['a packet of 4 GiB', changed(16, 0xffffffff), 'CRYPT4GH_HEADER_TOO_LARGE'],
    ['a packet of 7 bytes', changed(16, 7), 'CRYPT4GH_HEADER_CORRUPT'],
    ['a packet of none', changed(16, 0), 'CRYPT4GH_HEADER_CORRUPT'],
    ['a packet that reaches past the end', changed(16, 100_000), 'CRYPT4GH_TRUNCATED'],
  ])('%s', async (_, bytes, code) => {
    expect(await codeOf(() => readHeader(bytes))).toBe(code)
  })
})

describe('opening a header', () => {
  const open = (header: Header, keys: Parameters<typeof openHeader>[1] = alice) =>
    openHeader(header, keys, nodeBackend)

  test.each([
    ['no packet', readHeader(joinPackets([])), 'CRYPT4GH_NO_DATA_KEY'],
    ['an edit list alone', sealed(u32s(1, 0)), 'CRYPT4GH_NO_DATA_KEY'],
    ['two edit lists', sealed(keyPayload(1), u32s(1, 0), u32s(1, 0)), 'CRYPT4GH_TWO_EDIT_LISTS'],
    ['data method 1', sealed(Uint8Array.of(...u32s(0, 1), ...dataKey(1))), 'CRYPT4GH_METHOD_UNSUPPORTED'],
    ['packet type 2', sealed(keyPayload(1), u32s(2, 0)), 'CRYPT4GH_METHOD_UNSUPPORTED'],
    ['a list longer than its packet', sealed(keyPayload(1), u32s(1, 0xffffffff)), 'CRYPT4GH_HEADER_CORRUPT'],
    ['a short key', sealed(u32s(0, 0, 1)), 'CRYPT4GH_HEADER_CORRUPT'],
    ['an empty packet', sealed(new Uint8Array()), 'CRYPT4GH_HEADER_CORRUPT'],
  ])('%s', async (_, header, code) => {
    expect(await codeOf(() => open(header))).toBe(code)
  })

  test('packets sealed by an unknown method are passed over, unless there is nothing else', async () => {
    const unknown = u32s(12, 9, 0)
    const mine = write([alice]).subarray(16)
    expect(open(readHeader(joinPackets([unknown, mine]))).dataKeys).toEqual([dataKey(1)])
    expect(await codeOf(() => open(readHeader(joinPackets([unknown]))))).toBe('CRYPT4GH_METHOD_UNSUPPORTED')
  })

  test('padding is passed over', () => {
    const header = sealed(
      Uint8Array.of(...keyPayload(1), 9, 9, 9),
      Uint8Array.of(...u32s(1, 2, 3, 0, 4, 0), 1),
    )
    expect(open(header)).toEqual({ dataKeys: [dataKey(1)], editList: [3, 4] })
  })

  test('lengths beyond 2^53 are past the end of any file', () => {
    const header = sealed(keyPayload(1), u32s(1, 1, 0xffffffff, 0xffffffff))
    expect(open(header).editList).toEqual([Number.MAX_SAFE_INTEGER])
  })

  test('a holder of two readers’ keys meets each data key and the list once', () => {
    const header = readHeader(write([alice, bob], [dataKey(1), dataKey(2)], [1, 2]))
    expect(open(header, [alice, bob])).toEqual({ dataKeys: [dataKey(1), dataKey(2)], editList: [1, 2] })
  })

  test('with a writer named, only what that one wrote counts', async () => {
    const header = readHeader(
      writeHeader({ dataKeys: [dataKey(1)], recipients: [alice.publicKey], writer: bob }, nodeBackend),
    )
    expect(openHeader(header, alice, nodeBackend, { writer: bob.publicKey }).dataKeys).toEqual([dataKey(1)])
    const other = () => openHeader(header, alice, nodeBackend, { writer: carol.publicKey })
    expect(await codeOf(other)).toBe('CRYPT4GH_WRONG_KEY')
  })
})

describe('re-encrypting a header', () => {
  const again = (header: Uint8Array, options: Partial<Parameters<typeof reencryptHeader>[1]> = {}) =>
    readHeader(
      reencryptHeader(
        readHeader(header),
        { keys: [alice], recipients: [carol.publicKey], ...options },
        nodeBackend,
      ),
    )

  test('carries every data key and the edit list to every recipient', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(255), { minLength: 1, maxLength: 9 }),
        fc.array(fc.nat()),
        (keys, list) => {
          const dataKeys = keys.map(dataKey)
          const header = again(write([alice], dataKeys, list), {
            recipients: [bob.publicKey, carol.publicKey],
          })
          for (const reader of [bob, carol])
            expect(openHeader(header, reader, nodeBackend)).toEqual({ dataKeys, editList: list })
        },
      ),
      { numRuns: 20 },
    )
  })

  test('keeps other readers, or drops them; the present one goes unless named', async () => {
    const header = write([alice, bob])
    expect(openHeader(again(header), bob, nodeBackend).dataKeys).toEqual([dataKey(1)])
    expect(await codeOf(() => openHeader(again(header), alice, nodeBackend))).toBe('CRYPT4GH_WRONG_KEY')
    const trimmed = again(header, { keepOthers: false })
    expect(trimmed.packets.length).toBe(1)
    expect(await codeOf(() => openHeader(trimmed, bob, nodeBackend))).toBe('CRYPT4GH_WRONG_KEY')
  })

  test('keeps padding and lengths that a number cannot hold', () => {
    const payload = Uint8Array.of(...u32s(1, 1, 0xffffffff, 0xffffffff), 0, 0, 0)
    const header = joinPackets(
      sealPackets([keyPayload(1), payload], [alice.publicKey], undefined, nodeBackend),
    )
    const sizes = again(header).packets.map(({ bytes }) => bytes.length)
    expect(sizes).toEqual([108, 68 + payload.length])
  })

  test('a holder of two keys makes no second edit list', () => {
    const header = again(write([alice, bob], [dataKey(1)], [1, 2]), { keys: [alice, bob] })
    expect(openHeader(header, carol, nodeBackend)).toEqual({ dataKeys: [dataKey(1)], editList: [1, 2] })
    expect(header.packets.length).toBe(2)
  })

  test('is refused to whoever cannot open it', async () => {
    expect(await codeOf(() => again(write([bob])))).toBe('CRYPT4GH_WRONG_KEY')
  })
})
