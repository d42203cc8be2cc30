/** Who asks, as far as a token proved it. */
export interface Identity {
  /** The `iss` of the token: subjects of two issuers are two people. */
  readonly issuer: string
  readonly subject: string
  /** The groups that this issuer puts the subject in, of the claim that the issuer's settings name. */
  readonly groups?: readonly string[]
  /** What else the token says, as it stood there. */
  readonly claims: Readonly<Record<string, unknown>>
  /** When the proof ends, in seconds since 1970: nothing that is handed out lives longer. */
  readonly expires?: number
}
