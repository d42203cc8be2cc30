declare module 'bcrypt-pbkdf' {
  interface BcryptPbkdf {
    /** OpenBSD's bcrypt_pbkdf: fills `key`; 0, or -1 where it refuses a parameter. */
    pbkdf(
      passphrase: Uint8Array,
      passphraseLength: number,
      salt: Uint8Array,
      saltLength: number,
      key: Uint8Array,
      keyLength: number,
      rounds: number,
    ): number
  }
  const bcrypt: BcryptPbkdf
  export default bcrypt
}
