import { createHash, createHmac } from 'node:crypto'

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()

/** RFC 3986, as Signature Version 4 wants it. */
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/**
 * Whether S3 would take a presigned GET: the signature over method, path, query and the headers that it names, made anew
 * from AWS's description of Signature Version 4, and the time.
 */
export function verifySigV4(
  request: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
  secretAccessKey: string,
  now = new Date(),
): boolean {
  const url = new URL(request.url)
  const query = [...url.searchParams].filter(([name]) => name !== 'X-Amz-Signature')
  const value = (name: string) => url.searchParams.get(name) ?? ''
  const headers = new Map(Object.entries(request.headers).map(([name, text]) => [name.toLowerCase(), text]))
  headers.set('host', url.host)
  const signed = value('X-Amz-SignedHeaders').split(';')
  if (!signed.every(name => headers.has(name))) return false

  const canonical = [
    'GET',
    url.pathname,
    query
      .map(([name, text]) => `${encode(name)}=${encode(text)}`)
      .sort()
      .join('&'),
    ...signed.map(name => `${name}:${headers.get(name)!.trim()}`),
    '',
    signed.join(';'),
    'UNSIGNED-PAYLOAD',
  ].join('\n')
  const [, day, region, service] = value('X-Amz-Credential').split('/') as [string, string, string, string]
  const toSign = [
    'AWS4-HMAC-SHA256',
    value('X-Amz-Date'),
    `${day}/${region}/${service}/aws4_request`,
    createHash('sha256').update(canonical).digest('hex'),
  ].join('\n')
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`)
  const date = value('X-Amz-Date').replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z')
  const age = (now.getTime() - Date.parse(date)) / 1000
  return (
    hmac(key, toSign).toString('hex') === value('X-Amz-Signature') && age <= Number(value('X-Amz-Expires'))
  )
}
