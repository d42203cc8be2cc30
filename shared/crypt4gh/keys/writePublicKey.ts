import { writePem } from './pem.ts'

/** A public key of 32 bytes as a PEM file. */
export const writePublicKey = (publicKey: Uint8Array): string =>
  writePem({ label: 'CRYPT4GH PUBLIC KEY', bytes: publicKey })
