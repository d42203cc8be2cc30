/** Where the vault says what it does. Fields are small and safe: no key, token, query string, sample name or sequence. */
export interface Log {
  info(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields: Record<string, unknown>, error: unknown): void
}

/** Says nothing. */
export const silentLog: Log = { info: () => undefined, error: () => undefined }
