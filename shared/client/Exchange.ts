/** One request, as it is to be sent. */
export interface Outgoing {
  readonly url: string
  readonly method?: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** What of `Headers` is needed. */
export interface ReplyHeaders {
  /** By name in any case; several of a name as one, null where there is none. */
  get(name: string): string | null
}

/** What came back: the head, and the body piece by piece. */
export interface Incoming {
  readonly status: number
  readonly headers: ReplyHeaders
  /** A redirection of which a browser does not tell where it leads. */
  readonly isOpaque: boolean
  /** The next bytes, decoded where the server compressed them, the receiver's to keep; undefined at the end. */
  read(): Promise<Uint8Array | undefined>
  /** Lets go of the connection; harmless at the end. */
  cancel(): void
}

export interface ExchangeOptions {
  /** Ends the request, and the body too. */
  readonly signal: AbortSignal
  /** `follow` is asked for only where `isOpaque` came before. */
  readonly redirect: 'manual' | 'follow'
}

/**
 * One request and its reply over whatever network there is. Redirections, tokens, timeouts and retries are decided above
 * it, once for all. What fails is thrown as it is.
 */
export type Exchange = (outgoing: Outgoing, options: ExchangeOptions) => Promise<Incoming>
