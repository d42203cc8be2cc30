/** Where in a file something was found: any of these that is known. */
export interface Place {
  /** The file's name as its owner knows it. */
  readonly file?: string
  /** Byte offset in the file. */
  readonly offset?: number
  /** BGZF virtual offset, written `block:within` in decimal. */
  readonly virtualOffset?: string
  /** Number of the record in the file, the first is 1. */
  readonly record?: number
  /** Line of a text format, the first is 1. */
  readonly line?: number
  /** Number of the Crypt4GH segment, the first is 0. */
  readonly segment?: number
}

export interface ErrorDetails {
  readonly place?: Place
  /** What the reader of the message can do next, a command where there is one. */
  readonly hint?: string
  readonly cause?: unknown
}

/** How an error is told to people and scripts: a status entry, a refusal report, a log line. */
export interface ErrorReport {
  readonly code: string
  readonly message: string
  readonly place?: Place
  readonly hint?: string
}

/**
 * The one error that htsvault throws on purpose: a stable `code` for scripts, a message that is safe to show
 * (never a key, token, sample name or sequence), the place, and what to do. The cause is chained, not shown.
 */
export class HtsvaultError extends Error {
  override readonly name = 'HtsvaultError'
  readonly code: string
  readonly place: Place | undefined
  readonly hint: string | undefined

  constructor(code: Uppercase<string>, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.place = details.place
    this.hint = details.hint
  }

  /** The error that a report tells of: errors lose their class between threads and processes. */
  static from({ code, message, ...details }: ErrorReport): HtsvaultError {
    return new HtsvaultError(code as Uppercase<string>, message, details)
  }

  toReport(): ErrorReport {
    return {
      code: this.code,
      message: this.message,
      ...(this.place && { place: this.place }),
      ...(this.hint !== undefined && { hint: this.hint }),
    }
  }

  /** The same error with more of the place known: what is already there stays. */
  at(place: Place): HtsvaultError {
    const merged = { ...place, ...this.place }
    const error = new HtsvaultError(this.code as Uppercase<string>, this.message, {
      place: merged,
      ...(this.hint !== undefined && { hint: this.hint }),
      cause: this.cause,
    })
    if (this.stack !== undefined) error.stack = this.stack
    return error
  }
}
