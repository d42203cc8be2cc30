import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What goes wrong with one request; `after` is bytes of the body that still come. */
export type Fault =
  | {
      readonly kind: 'status'
      readonly status: number
      readonly headers?: Record<string, string>
      readonly body?: string
    }
  /** The connection is cut. */
  | { readonly kind: 'break'; readonly after: number }
  /** Nothing more comes. */
  | { readonly kind: 'stall'; readonly after: number }
  /** A regular end, too early: without a length said. */
  | { readonly kind: 'short'; readonly after: number }
  /** The whole, whatever range was asked for. */
  | { readonly kind: 'whole' }
  /** The whole, its length not said. */
  | { readonly kind: 'chunked' }
  /** Less of the range than asked for, and rightly said so. */
  | { readonly kind: 'part'; readonly bytes: number }
  /** Another range than asked for, and rightly said so. */
  | { readonly kind: 'shifted'; readonly by: number }
  /** Other bytes, under another ETag. */
  | { readonly kind: 'changed' }
  /** One byte is gone: a file that was replaced, without an ETag. */
  | { readonly kind: 'shrunk' }

export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** Serves bytes by path as HTTP has it, but for the faults it was told: one a request, in order, for each path. */
export class FaultServer {
  readonly seen: Seen[] = []
  /** Requests that are being answered, and the most there were at once. */
  open = 0
  mostOpen = 0
  url = ''
  readonly #files = new Map<string, Uint8Array>()
  readonly #faults = new Map<string, Fault[]>()
  readonly #server: Server = createServer((request, response) => void this.#answer(request, response))

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** Gives the file's URL. */
  serve(path: string, bytes: Uint8Array, faults: readonly Fault[] = []): string {
    this.#files.set(path, bytes)
    this.#faults.set(path, [...faults])
    return this.url + path
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.mostOpen = Math.max(this.mostOpen, ++this.open)
    response.once('close', () => this.open--)
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const { pathname } = new URL(request.url!, this.url)
    const body = Buffer.concat(chunks).toString()
    this.seen.push({ method: request.method!, path: pathname, headers: request.headers, body })
    const file = this.#files.get(pathname)
    if (file) this.#send(file, request, response, this.#faults.get(pathname)?.shift())
    else response.writeHead(404).end('{"htsget":{"error":"NotFound","message":"there is none"}}')
  }

  #send(file: Uint8Array, request: IncomingMessage, response: ServerResponse, fault?: Fault): void {
    if (fault?.kind === 'status') {
      response.writeHead(fault.status, fault.headers).end(fault.body ?? 'an error')
      return
    }
    const whole = this.#shown(file, fault)
    const asked = fault?.kind === 'whole' || fault?.kind === 'chunked' ? undefined : request.headers.range
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(asked ?? '') ?? []
    let start = Number(first ?? 0)
    let end = last === undefined || last === '' ? whole.length : Math.min(whole.length, Number(last) + 1)
    if (asked !== undefined && start >= whole.length) {
      response.writeHead(416, { 'content-range': `bytes */${whole.length}` }).end()
      return
    }
    if (asked !== undefined && fault?.kind === 'shifted')
      start = Math.min(Math.max(0, start + fault.by), end - 1)
    if (asked !== undefined && fault?.kind === 'part') end = Math.min(end, start + Math.max(1, fault.bytes))
    const body = whole.subarray(start, end)
    response.writeHead(asked === undefined ? 200 : 206, {
      ...(fault?.kind !== 'shrunk' && { etag: fault?.kind === 'changed' ? '"other"' : '"one"' }),
      ...(fault?.kind !== 'chunked' && fault?.kind !== 'short' && { 'content-length': body.length }),
      ...(asked !== undefined && { 'content-range': `bytes ${start}-${end - 1}/${whole.length}` }),
    })
    if (fault?.kind === 'break') response.write(body.subarray(0, fault.after), () => response.destroy())
    else if (fault?.kind === 'stall') response.write(body.subarray(0, fault.after))
    else response.end(fault?.kind === 'short' ? body.subarray(0, fault.after) : body)
  }

  #shown(file: Uint8Array, fault?: Fault): Uint8Array {
    if (fault?.kind === 'changed') return file.map(byte => byte ^ 255)
    if (fault?.kind === 'shrunk') return file.subarray(0, Math.max(1, file.length - 1))
    return file
  }
}
