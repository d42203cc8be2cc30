import { S3Client } from '@aws-sdk/client-s3'
import { expect, test } from '@jest/globals'
import { s3Store } from '#shared/aws/s3Store.ts'
import { crc64nvme, joinCrc64nvme, writeCrc64nvme } from '#shared/bytes/crc64nvme.ts'

interface Request {
  readonly method: string
  readonly query: Record<string, string>
  readonly headers: Record<string, string>
  readonly body?: unknown
}

/** A store whose requests go no further than here. */
function recorded() {
  const requests: Request[] = []
  const handle = async (request: Request) => {
    requests.push(request)
    const text = 'uploads' in request.query ? '<R><UploadId>id</UploadId></R>' : '<R><ETag>"e"</ETag></R>'
    const headers = { etag: '"e"', 'content-type': 'application/xml' }
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
