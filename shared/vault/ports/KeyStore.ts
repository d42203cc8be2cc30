/** An X25519 key pair, raw, 32 bytes each. */
export interface KeyPair {
  readonly publicKey: Uint8Array
  readonly secretKey: Uint8Array
}

/** The vault's key pair in force, and while a rotation is under way the others: they open what was sealed for them. */
export interface KeyRing extends KeyPair {
  readonly others?: readonly KeyPair[]
}

/**
 * Where the vault's own Crypt4GH key pair is kept: a KMS-wrapped secret, or a key file that only its owner can read.
 *
 * @throws HtsvaultError KEY_UNAVAILABLE where it cannot be read; a vault without its key does not start.
 */
export interface KeyStore {
  /** The vault's key pair. The caller does not change or wipe it: it may be cached. */
  keyPair(): Promise<KeyRing>
}
