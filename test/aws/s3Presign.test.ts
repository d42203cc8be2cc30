import { S3Client } from '@aws-sdk/client-s3'
import { describe, expect, test } from '@jest/globals'
import { s3Store } from '#shared/aws/s3Store.ts'
import { verifySigV4 } from '#test/support/verifySigV4.ts'

const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const client = new S3Client({
  region: 'eu-central-1',
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey, sessionToken: 'a/session+token=' },
})
const store = s3Store(client, 'a-vault', { owner: '123456789012' })

test('the check itself takes the example of the documentation', () => {
  // "Authenticating Requests: Using Query Parameters", AWS's S3 API reference.
  const url =
    'https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404'
  const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
  expect(verifySigV4({ url, headers: {} }, secret, new Date('2013-05-24T12:00:00Z'))).toBe(true)
  expect(verifySigV4({ url, headers: {} }, secret, new Date('2013-05-25T00:00:01Z'))).toBe(false)
})

describe('a presigned range', () => {
  test.each(['d/x.bam.c4gh', "study/a b+c%25é!*'().cram.c4gh", 'd//x', '_/~.vcf.gz'])('of %s', async key => {
    const { url, headers } = await store.presign!(key, 100, 65_664, 'abc"def', 900)
    expect(headers).toEqual({ Range: 'bytes=100-65663', 'If-Match': '"abcdef"' })
    expect(verifySigV4({ url, headers }, secretAccessKey)).toBe(true)
    const { hostname, pathname, searchParams } = new URL(url)
    expect(hostname).toBe('a-vault.s3.eu-central-1.amazonaws.com')
    expect(decodeURIComponent(pathname)).toBe(`/${key}`)
    expect(searchParams.get('X-Amz-SignedHeaders')).toBe('host;if-match;range')
    expect(searchParams.get('X-Amz-Expires')).toBe('900')
    expect(searchParams.get('X-Amz-Security-Token')).toBe('a/session+token=')
  })

  test('is good for these bytes of this object and no others, and for so long', async () => {
    const { url, headers } = await store.presign!('d/x.bam.c4gh', 100, 200, 'e', 900)
    const takes = (changed: { url?: string; headers?: Record<string, string> }, now?: Date) =>
      verifySigV4({ url, headers, ...changed }, secretAccessKey, now)
    expect(takes({})).toBe(true)
    expect(takes({ headers: { ...headers, Range: 'bytes=0-199' } })).toBe(false)
    expect(takes({ headers: { ...headers, 'If-Match': '"f"' } })).toBe(false)
    expect(takes({ headers: { Range: headers['Range']! } })).toBe(false)
    expect(takes({ headers: {} })).toBe(false)
    expect(takes({ url: url.replace('x.bam', 'y.bam') })).toBe(false)
    expect(takes({ url: url.replace('X-Amz-Expires=900', 'X-Amz-Expires=9000') })).toBe(false)
    expect(takes({ url: `${url}&versionId=1` })).toBe(false)
    expect(takes({}, new Date(Date.now() + 901_000))).toBe(false)
  })

  test('lives a week at most', async () => {
    const { url } = await store.presign!('d/x.bam.c4gh', 0, 1, 'e', 1e9)
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('604800')
  })
})
