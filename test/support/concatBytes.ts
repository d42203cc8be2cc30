/** Byte arrays one behind another. */
export const concatBytes = (...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts))
