/** Overwrites secrets that are no longer needed. Copies that the runtime made are out of reach. */
export function wipe(...secrets: (Uint8Array | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0)
}
