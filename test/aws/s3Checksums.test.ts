import { S3Client } from '@aws-sdk/client-s3'
import { describe, expect, test } from '@jest/globals'
import { s3Store } from '#shared/aws/s3Store.ts'
import { crc64nvme, joinCrc64nvme, writeCrc64nvme } from '#shared/bytes/crc64nvme.ts'

interface Request {
  readonly method: string
  readonly query: Record<string, string>
  readonly headers: Record<string, string>
  readonly body?: unknown
}

/** A store whose requests go no further than here. */
function recorded(listedParts = '', shown: Record<string, string> = {}) {
  const requests: Request[] = []
  const handle = async (request: Request) => {
    requests.push(request)
    const { method, query } = request
    const listed = method === 'GET' && 'uploadId' in query
    const text = listed
      ? `<R>${listedParts}</R>`
      : 'uploads' in query
        ? '<R><UploadId>id</UploadId></R>'
        : '<R><ETag>"e"</ETag></R>'
    const headers = { etag: '"e"', 'content-type': 'application/xml', ...(method === 'HEAD' && shown) }
    return { response: { statusCode: 200, headers, body: Buffer.from(text) } }
  }
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
  const client = new S3Client({ region: 'eu-central-1', credentials, requestHandler: { handle } as never })
  return { store: s3Store(client, 'vault'), requests }
}

const checksums = ({ headers }: Request) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-amz-checksum')))

test('a small object goes over the wire with its CRC-64/NVME, and no other checksum', async () => {
  const { store, requests } = recorded()
  await store.put('x', Buffer.from('123456789'))
  expect(requests.map(checksums)).toEqual([{ 'x-amz-checksum-crc64nvme': 'rosUhgp5mIg=' }])
})

test('so does each part of a large one, and its completion with that of the whole', async () => {
  const { store, requests } = recorded()
  const upload = await store.create('x')
  const chunk = Buffer.alloc(1 << 20, 'htsvault')
  for (let i = 0; i < 9; i++) await upload.write(chunk)
  const { crc64nvme: whole } = await upload.complete({ ifAbsent: true })
  const one = crc64nvme(chunk)
  const eight = Array.from({ length: 7 }).reduce<bigint>(crc => joinCrc64nvme(crc, one, chunk.length), one)
  expect(whole).toBe(writeCrc64nvme(joinCrc64nvme(eight, one, chunk.length)))
  expect(requests.map(request => [request.method, checksums(request)])).toEqual([
    ['POST', { 'x-amz-checksum-algorithm': 'CRC64NVME', 'x-amz-checksum-type': 'FULL_OBJECT' }],
    ['PUT', { 'x-amz-checksum-crc64nvme': writeCrc64nvme(eight) }],
    ['PUT', { 'x-amz-checksum-crc64nvme': writeCrc64nvme(one) }],
    ['POST', { 'x-amz-checksum-crc64nvme': whole, 'x-amz-checksum-type': 'FULL_OBJECT' }],
  ])
  expect(requests.at(-1)!.headers['x-amz-mp-object-size']).toBe(String(9 << 20))
})

/** A part as `ListParts` has it. */
const listedPart = (number: number, bytes: Uint8Array, sum = true) =>
  `<Part><PartNumber>${number}</PartNumber><ETag>"e${number}"</ETag><Size>${bytes.length}</Size>${
    sum ? `<ChecksumCRC64NVME>${writeCrc64nvme(crc64nvme(bytes))}</ChecksumCRC64NVME>` : ''
  }</Part>`

describe('an object that several processes write by parts', () => {
  const parts = [Buffer.alloc(1000, 'a'), Buffer.alloc(1000, 'b'), Buffer.from('end')]
  const whole = { parts: 3, size: 2003 }
  const sum = writeCrc64nvme(crc64nvme(Buffer.concat(parts)))

  test('each part goes with its CRC-64/NVME, the completion with that which S3 has of all of them, joined', async () => {
    // Out of order, as nobody promises another.
    const listed = [1, 0, 2].map(i => listedPart(i + 1, parts[i]!))
    const { store, requests } = recorded(listed.join(''))
    const upload = await store.parts.begin('x')
    await store.parts.put('x', upload, {
      number: 2,
      offset: 1000,
      bytes: parts[1]!,
      crc64nvme: crc64nvme(parts[1]!),
    })
    const joined = await store.parts.complete('x', upload, whole, { ifAbsent: true })
    expect(joined).toMatchObject({ size: 2003, crc64nvme: sum })
    expect(requests.map(request => [request.method, checksums(request)])).toEqual([
      ['POST', { 'x-amz-checksum-algorithm': 'CRC64NVME', 'x-amz-checksum-type': 'FULL_OBJECT' }],
      ['PUT', { 'x-amz-checksum-crc64nvme': writeCrc64nvme(crc64nvme(parts[1]!)) }],
      ['GET', {}],
      ['POST', { 'x-amz-checksum-crc64nvme': sum, 'x-amz-checksum-type': 'FULL_OBJECT' }],
    ])
    expect(requests.at(-1)!.headers['x-amz-mp-object-size']).toBe('2003')
  })

  test('of a store that does not tell the sums of parts no sum is made up', async () => {
    const { store, requests } = recorded(parts.map((part, i) => listedPart(i + 1, part, i !== 1)).join(''))
    const joined = await store.parts.complete('x', 'id write', whole)
    expect(joined.crc64nvme).toBeUndefined()
    expect(checksums(requests.at(-1)!)).toEqual({ 'x-amz-checksum-type': 'FULL_OBJECT' })
  })

  test.each([
    ['what S3 shows of it', { 'x-amz-checksum-type': 'FULL_OBJECT', 'x-amz-checksum-crc64nvme': sum }, sum],
    [
      'nothing where it is a sum of sums',
      { 'x-amz-checksum-type': 'COMPOSITE', 'x-amz-checksum-crc64nvme': sum },
      undefined,
    ],
    [
      'nothing where it is something else',
      { 'x-amz-checksum-type': 'FULL_OBJECT', 'x-amz-checksum-crc64nvme': 'AAAAAA==' },
      undefined,
    ],
    ['nothing where there is none', {}, undefined],
  ])('the sum of one that was made before is %s', async (_, shown, expected) => {
    const { store, requests } = recorded('', shown)
    expect(await store.parts.sumOf('x', 'e')).toBe(expected)
    expect(requests[0]!.headers).toMatchObject({ 'if-match': '"e"', 'x-amz-checksum-mode': 'ENABLED' })
  })
})
