import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { crc64nvme, writeCrc64nvme } from '#shared/bytes/crc64nvme.ts'
import { encryptBytes } from '#shared/crypt4gh/body/encryptBytes.ts'
import { Encryptor } from '#shared/crypt4gh/body/Encryptor.ts'
import { decryptStream } from '#shared/crypt4gh/decryptStream.ts'
import { encryptStream } from '#shared/crypt4gh/encryptStream.ts'
import { readHeader } from '#shared/crypt4gh/header/readHeader.ts'
import { joinPackets, writeHeader } from '#shared/crypt4gh/header/writeHeader.ts'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { writePublicKey } from '#shared/crypt4gh/keys/writePublicKey.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { cipherSegmentBytes, segmentBytes } from '#shared/crypt4gh/sizes.ts'
import { ingestUpload } from '#shared/vault/ingestUpload.ts'
import { findManifest } from '#shared/vault/findManifest.ts'
import { openStored } from '#shared/vault/openStored.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { drainAsync } from '../crypt4gh/support.ts'
import { folderVault } from '#test/support/folderVault.ts'

const scratch = mkdtempSync(join(tmpdir(), 'htsvault-encrypted-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const vaultPair = generateKeyPair(nodeBackend)
const [reader, stranger] = [generateKeyPair(nodeBackend), generateKeyPair(nodeBackend)]
const realCipher = nodeBackend.cipher.bind(nodeBackend)
let plain: Buffer
beforeAll(async () => {
  plain = await readFile(join(import.meta.dirname, '..', '..', 'demo', 'child.bam'))
})

let round = 0
let ports: VaultPorts
beforeEach(async () => {
  const folder = join(scratch, String(++round))
  ports = folderVault(folder, vaultPair)
  const settings = { recipients: [writePublicKey(reader.publicKey)] }
  await ports.vault.put('d/dataset.json', Buffer.from(JSON.stringify(settings)))
  await ports.vault.put('open/dataset.json', Buffer.from('{"encryption":"none"}'))
})

const encrypt = (bytes: Uint8Array, recipients = [vaultPair.publicKey, stranger.publicKey]) =>
  drainAsync(encryptStream([bytes], { recipients }, nodeBackend))
const bodyOf = (file: Uint8Array) => Buffer.from(file.subarray(readHeader(file).length))

async function take(file: Uint8Array, key = 'd/x.bam.c4gh') {
  await ports.inbox.put(key, file)
  return ingestUpload(ports, key)
}
/** The vault's object, and what its manifest opens to. */
async function stored() {
  const manifest = (await findManifest(ports.vault, 'd/x', ['BAM']))!
  const object = (await ports.vault.get(manifest.body.key, 1e7))!.bytes
  const source = await openStored(ports, manifest.body)
  return { manifest, object, plain: Buffer.from(await source.read(0, source.size)) }
}

describe('an upload that is encrypted for the vault', () => {
  test('is kept with its body as it is, behind a header for the vault and the recipients alone', async () => {
    const file = await encrypt(plain)
    expect(await take(file)).toMatchObject({
      state: 'served',
      manifest: {
        id: 'd/x',
        name: 'x.bam.c4gh',
        format: 'BAM',
        sha256: createHash('sha256').update(plain).digest('hex'),
        md5: createHash('md5').update(plain).digest('hex'),
        body: { key: 'd/x.bam.c4gh', plainSize: plain.length },
        records: 1950,
      },
    })
    const found = await stored()
    expect(bodyOf(found.object).equals(bodyOf(file))).toBe(true)
    expect(found.plain.equals(plain)).toBe(true)
    // The object's own header is the manifest's: tools that know no manifest read the one, the vault the other.
    const header = Buffer.from(found.manifest.body.header!, 'base64')
    const sum = writeCrc64nvme(crc64nvme(found.object))
    expect(found.manifest.body.crc64nvme).toBe(sum)
    expect(header.equals(found.object.subarray(0, found.manifest.body.bodyOffset))).toBe(true)
    for (const pair of [vaultPair, reader])
      expect(plain.equals(await drainAsync(decryptStream([found.object], pair, nodeBackend)))).toBe(true)
    await expect(drainAsync(decryptStream([found.object], stranger, nodeBackend))).rejects.toMatchObject({
      code: 'CRYPT4GH_WRONG_KEY',
    })
    for await (const { key } of ports.inbox.list('')) expect(key).toBeUndefined()
    expect((await take(file)).state).toBe('served')
  })

  test('is known by its content, whatever it is called, and opens with an older key pair too', async () => {
    const file = await encrypt(plain)
    ports = { ...ports, keys: { keyPair: async () => ({ ...reader, others: [vaultPair] }) } }
    expect((await take(file, 'd/x.bam')).state).toBe('served')
    expect((await stored()).plain.equals(plain)).toBe(true)
  })

  test.each([
    [
      'an edit list',
      async () => {
        const padded = Buffer.concat([randomBytes(100_000), plain, randomBytes(70_000)])
        const dataKey = randomBytes(32)
        const content = { dataKeys: [dataKey], editList: [100_000, plain.length] }
        const header = writeHeader({ ...content, recipients: [vaultPair.publicKey] }, nodeBackend)
        return Buffer.concat([header, encryptBytes(padded, dataKey, nodeBackend)])
      },
    ],
    [
      'two data keys',
      async () => {
        const dataKeys = [randomBytes(32), randomBytes(32)]
        const header = writeHeader({ dataKeys, recipients: [vaultPair.publicKey] }, nodeBackend)
        const cut = 2 * segmentBytes
        const parts = [plain.subarray(0, cut), plain.subarray(cut)]
        return Buffer.concat([
          header,
          ...parts.map((part, i) => encryptBytes(part, dataKeys[i]!, nodeBackend)),
        ])
      },
    ],
    [
      'one nonce for all segments',
      async () => {
        const dataKey = randomBytes(32)
        const nonce = randomBytes(12)
        const encryptor = new Encryptor(dataKey, nodeBackend, { nonceOf: () => nonce })
        const header = writeHeader({ dataKeys: [dataKey], recipients: [vaultPair.publicKey] }, nodeBackend)
        return Buffer.concat([header, ...encryptor.push(plain), ...encryptor.finish()])
      },
    ],
  ])('with %s is encrypted anew, for what it shows', async (_, make) => {
    const file = await make()
    expect((await take(file)).state).toBe('served')
    const found = await stored()
    expect(found.plain.equals(plain)).toBe(true)
    expect(found.manifest.sha256).toBe(createHash('sha256').update(plain).digest('hex'))
    expect(bodyOf(found.object).subarray(-64).equals(bodyOf(file).subarray(-64))).toBe(false)
    expect(plain.equals(await drainAsync(decryptStream([found.object], reader, nodeBackend)))).toBe(true)
    const { packets } = readHeader(found.object)
    expect(packets).toHaveLength(2)
  })

  const corrupt = (file: Buffer, at: number) => {
    const copy = Buffer.from(file)
    copy[at]! ^= 1
    return copy
  }
  const offsetOfSegment = (file: Buffer, segment: number) =>
    readHeader(file).length + segment * cipherSegmentBytes
  test.each([
    [
      'for another key',
      async () => encrypt(plain, [stranger.publicKey]),
      { code: 'CRYPT4GH_WRONG_KEY', hint: expect.stringContaining('htsvault c4gh reencrypt') },
    ],
    ['cut in its header', async () => (await encrypt(plain)).subarray(0, 60), { code: 'CRYPT4GH_TRUNCATED' }],
    [
      'of a later version',
      async () => {
        const file = await encrypt(plain)
        file[8] = 2
        return file
      },
      { code: 'CRYPT4GH_VERSION_UNSUPPORTED' },
    ],
    [
      'with two edit lists',
      async () => {
        const dataKeys = [randomBytes(32)]
        const headers = [
          [0, 10],
          [1, 9],
        ].map(editList =>
          readHeader(writeHeader({ dataKeys, editList, recipients: [vaultPair.publicKey] }, nodeBackend)),
        )
        return joinPackets(headers.flatMap(({ packets }) => packets.map(({ bytes }) => bytes)))
      },
      { code: 'CRYPT4GH_TWO_EDIT_LISTS' },
    ],
    [
      'with a bit flipped in segment 1',
      async () => {
        const file = await encrypt(plain)
        return corrupt(file, offsetOfSegment(file, 1) + 1000)
      },
      { code: 'CRYPT4GH_SEGMENT_CORRUPT', place: { file: 'd/x.bam.c4gh', segment: 1 } },
    ],
    [
      'cut within a segment',
      async () => {
        const file = await encrypt(plain)
        return file.subarray(0, offsetOfSegment(file, 1) + 5000)
      },
      { code: 'CRYPT4GH_TRUNCATED_OR_CORRUPT', place: { segment: 1 } },
    ],
    [
      'cut some bytes into a segment',
      async () => {
        const file = await encrypt(plain)
        return file.subarray(0, offsetOfSegment(file, 1) + 27)
      },
      { code: 'CRYPT4GH_TRUNCATED', place: { segment: 1 } },
    ],
    [
      'cut between two segments',
      async () => {
        const file = await encrypt(plain)
        return file.subarray(0, offsetOfSegment(file, 2))
      },
      { code: expect.stringMatching(/^BGZF_(NO_EOF|TRUNCATED)$/) as unknown },
    ],
    [
      'with bytes behind its last segment',
      async () => Buffer.concat([await encrypt(plain), Buffer.alloc(100)]),
      { code: 'CRYPT4GH_TRUNCATED_OR_CORRUPT' },
    ],
    [
      'with a segment that stands there twice',
      async () => {
        const file = await encrypt(plain)
        const [from, to] = [1, 2].map(segment => offsetOfSegment(file, segment))
        return Buffer.concat([file.subarray(0, to), file.subarray(from)])
      },
      { code: expect.stringMatching(/^(BGZF|BAM)_/) as unknown },
    ],
    [
      'with bytes behind the plain end',
      async () => encrypt(Buffer.concat([plain, Buffer.alloc(100)])),
      { code: expect.stringMatching(/^(TRAILING_DATA|BGZF_BAD_HEADER)$/) as unknown },
    ],
    ['of nothing', async () => encrypt(new Uint8Array()), { code: 'EMPTY_FILE' }],
    ['of something else', async () => encrypt(Buffer.from('hello')), { code: 'UNKNOWN_FORMAT' }],
    ['encrypted twice', async () => encrypt(await encrypt(plain)), { code: 'CRYPT4GH_UPLOAD' }],
  ])('%s is refused, and nothing is stored', async (_, make, report) => {
    const file = await make()
    expect(await take(file)).toMatchObject({ state: 'refused', report })
    for await (const { key } of ports.vault.list('d/')) expect(key).toBe('d/dataset.json')
    expect((await ports.inbox.get('d/x.bam.c4gh', 1e7))!.bytes).toEqual(Buffer.from(file))
  })

  test('is refused where the dataset keeps its files plain', async () => {
    const refusal = { state: 'refused', report: { code: 'CRYPT4GH_UPLOAD' } }
    expect(await take(await encrypt(plain), 'open/x.bam.c4gh')).toMatchObject(refusal)
  })

  test.each([
    ['is served', {}, async () => encrypt(plain)],
    ['is refused for what is in it', {}, async () => encrypt(Buffer.from('hello'))],
    ['is cut off', {}, async () => (await encrypt(plain)).subarray(0, 5000)],
    ['meets an outage', { get: async () => Promise.reject(new Error('no')) }, async () => encrypt(plain)],
    [
      'names a recipient that is none',
      { settings: '{"recipients":["nonsense"]}' },
      async () => encrypt(plain),
    ],
  ])('its data key does not stay in memory when it %s', async (_, faults, make) => {
    const keys: { readonly kept: Uint8Array; readonly copy: string }[] = []
    const cipher = jest.spyOn(nodeBackend, 'cipher').mockImplementation(key => {
      keys.push({ kept: key, copy: Buffer.from(key).toString('hex') })
      return realCipher(key)
    })
    try {
      if ('settings' in faults) await ports.vault.put('d/dataset.json', Buffer.from(faults.settings))
      const file = await make()
      const mine = keys.length
      await ports.inbox.put('d/x.bam.c4gh', file)
      // The dataset's settings are read, the manifest is not.
      const get: typeof ports.vault.get = async (key, most) =>
        'get' in faults && !key.endsWith('dataset.json') ? faults.get() : ports.vault.get(key, most)
      await ingestUpload({ ...ports, vault: { ...ports.vault, get } }, 'd/x.bam.c4gh').catch(() => undefined)
      expect(keys.length).toBeGreaterThan(mine)
      for (const { kept } of keys.slice(mine)) expect(Buffer.from(kept).equals(Buffer.alloc(32))).toBe(true)
      for (const { copy } of keys.slice(mine)) expect(copy).not.toBe('00'.repeat(32))
    } finally {
      cipher.mockRestore()
    }
  })
})
