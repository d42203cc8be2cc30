/** Who asks, as far as a token proved it. */
export interface Identity {
  /** The `iss` of the token: subjects of two issuers are two people. */
  readonly issuer: string
  readonly subject: string
  /** What else the token says, as it stood there. */
  readonly claims: Readonly<Record<string, unknown>>
  /** When the proof ends, in seconds since 1970: nothing that is handed out lives longer. */
  readonly expires?: number
}
