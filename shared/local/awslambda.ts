import type { ServerResponse } from 'node:http'
import { Writable } from 'node:stream'

/** What a streaming handler says before the first byte of the body. */
export interface ResponsePrelude {
  readonly statusCode?: number | undefined
  readonly headers?: Readonly<Record<string, string | number | boolean>> | undefined
  readonly multiValueHeaders?: Readonly<Record<string, readonly (string | number | boolean)[]>> | undefined
  readonly cookies?: readonly string[] | undefined
}

/** The mark that Lambda's runtime puts on a streaming handler, and looks for. */
const streaming = Symbol.for('aws.lambda.runtime.handler.streaming')

/** Whether a handler was made by `awslambda.streamifyResponse`. */
export const isStreaming = (handler: object): boolean => Reflect.get(handler, streaming) === 'response'

/**
 * Puts the part of Lambda's runtime in place that streaming handlers are written for: the global `awslambda` with
 * `streamifyResponse` and `HttpResponseStream.from`. To be called before a module that makes such a handler is loaded.
 */
export function provideAwslambda(): void {
  const awslambda = {
    streamifyResponse: (handler: object) => Object.assign(handler, { [streaming]: 'response' }),
    HttpResponseStream: {
      from(stream: Writable, prelude: ResponsePrelude): Writable {
        if (!(stream instanceof ServerResponseStream))
          throw new TypeError('HttpResponseStream.from takes the stream that the handler was given')
        stream.begin(prelude)
        return stream
      },
    },
  }
  Object.defineProperty(globalThis, 'awslambda', { value: awslambda, configurable: true })
}

/** Sets the status line and headers; nothing is sent before the body or the end. */
export function writePrelude(response: ServerResponse, prelude: ResponsePrelude): void {
  response.statusCode = prelude.statusCode ?? 200
  for (const [name, value] of Object.entries(prelude.headers ?? {})) response.setHeader(name, String(value))
  for (const [name, values] of Object.entries(prelude.multiValueHeaders ?? {}))
    response.setHeader(name, values.map(String))
  if (prelude.cookies) response.setHeader('Set-Cookie', prelude.cookies)
}

/**
 * The response stream of a streaming handler, over a response of node:http: it takes as much as the client does. A
 * client that goes away destroys it, and so the source that is piped into it; a body that is not as long as its
 * Content-Length, or that breaks off, ends the connection, so that no client takes it for whole.
 */
export class ServerResponseStream extends Writable {
  readonly #response: ServerResponse
  #bytes = 0
  /** The client closed the connection before all was sent. */
  clientLeft = false

  constructor(response: ServerResponse) {
    super()
    this.#response = response
    response.once('close', () => {
      if (response.writableFinished || this.destroyed) return
      this.clientLeft = true
      this.destroy(new Error('the client closed the connection'))
    })
    response.on('error', error => this.destroy(error))
  }

  begin(prelude: ResponsePrelude): void {
    writePrelude(this.#response, prelude)
  }

  /** Of handlers that do not tell a prelude. */
  setContentType(contentType: string): void {
    this.#response.setHeader('Content-Type', contentType)
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.#bytes += chunk.length
    // middy begins with an empty one, which would send the headers in a packet of their own.
    if (chunk.length === 0 || this.#response.write(chunk)) done()
    else {
      const go = () => {
        this.#response.off('drain', go)
        this.off('close', go)
        done()
      }
      this.#response.on('drain', go)
      this.on('close', go)
    }
  }

  override _final(done: (error?: Error) => void): void {
    const declared = this.#response.getHeader('Content-Length')
    const hasBody = this.#response.req.method !== 'HEAD'
    if (hasBody && declared !== undefined && Number(declared) !== this.#bytes) {
      done(new Error(`the body has ${this.#bytes} bytes, ${String(declared)} were declared`))
      return
    }
    this.#response.end(() => done())
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#response.writableEnded) this.#response.destroy()
    done(error)
  }
}
