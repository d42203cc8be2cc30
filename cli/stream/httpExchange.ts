import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { pipeline, type Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import type { Exchange, Incoming, Outgoing } from '#shared/client/Exchange.ts'

/** Node's own HTTP: two thirds of the processor time of its `fetch`, by the gigabyte. */
export const httpExchange: Exchange = async (outgoing, { signal }) =>
  incomingOf(await respond(outgoing, signal))

const respond = ({ url, method = 'GET', headers, body }: Outgoing, signal: AbortSignal) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    const target = new URL(url)
    // It would become an Authorization header, of which nobody above knows; `fetch` refuses it too.
    if (target.username !== '' || target.password !== '') throw new TypeError('a URL with a password in it')
    const { request } = target.protocol === 'https:' ? https : http
    const sent = request(target, {
      method,
      headers: { Accept: '*/*', 'User-Agent': 'htsvault', ...headers },
    })
    let response: IncomingMessage | undefined
    // Not by the request's option `signal`: that would end the connection too, when it serves another request already.
    const end = () => {
      if (!response) sent.destroy()
      else if (!response.complete) response.destroy()
    }
    if (signal.aborted) end()
    signal.addEventListener('abort', end)
    // The first listener stays: what breaks off behind the head is told to who reads the body.
    sent
      .on('error', reject)
      .once('response', came => resolve((response = came)))
      .once('close', () => signal.removeEventListener('abort', end))
      .end(body)
  })

function incomingOf(response: IncomingMessage): Incoming {
  response.on('error', () => undefined)
  const body = decoded(response)
  const chunks = body.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array, undefined>
  return {
    status: response.statusCode ?? 0,
    headers: { get: name => response.headersDistinct[name.toLowerCase()]?.join(', ') ?? null },
    isOpaque: false,
    read: async () => (await chunks.next()).value,
    cancel() {
      // What has come whole is read to its end, and the connection is good for the next request. What has to be
      // decoded is not: a little of it may become gigabytes.
      if (response.complete && body === response) void drain(chunks)
      else body.destroy()
    },
  }
}

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
}

/** Nothing compressed is asked for; what a server compresses all the same is decoded, as `fetch` does. */
function decoded(response: IncomingMessage): Readable {
  const decoder = decoders[response.headers['content-encoding']?.trim().toLowerCase() ?? '']?.()
  if (!decoder) return response
  // Who reads the decoder is told.
  return pipeline(response, decoder, () => undefined)
}

async function drain(chunks: AsyncIterator<Uint8Array, undefined>): Promise<void> {
  try {
    while ((await chunks.next()).done !== true);
  } catch {
    // The connection is gone: so be it.
  }
}
