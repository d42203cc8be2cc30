/** Where a rotation of the vault's key pair stands. */
export interface RotationState {
  /** The newest pair's public half, 32 bytes. */
  readonly publicKey: Uint8Array
  /** From when on the newest pair is in force; absent where there is one pair alone: nothing is being rotated. */
  readonly newestFrom?: Date
}

/**
 * Changes the key pairs of a KeyStore. Safe to call by several at once: one wins, the others fail or see what it did.
 * @throws HtsvaultError KEY_UNAVAILABLE; ROTATION_CONFLICT where another was faster
 */
export interface KeyRotation {
  /** How long it takes until every process knows of a new pair, in milliseconds. */
  readonly leadMs: number
  state(): Promise<RotationState>
  /** Makes a new pair, in force from then on; the present one goes on opening. */
  begin(from: Date): Promise<void>
  /** Takes the older pairs out of use: what they alone open cannot be read any more. */
  end(): Promise<void>
}
