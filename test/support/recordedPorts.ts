import type { ObjectStore } from '#shared/vault/ports/ObjectStore.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'

/** One use of a store, by the action that S3 asks a permission for. */
export interface Use {
  readonly store: 'inbox' | 'vault'
  readonly action:
    's3:GetObject' | 's3:PutObject' | 's3:DeleteObject' | 's3:ListBucket' | 's3:AbortMultipartUpload'
  /** The object; of a listing, nothing. */
  readonly key?: string
}

/** Ports that keep a record of what was asked of the stores. */
export function recordedPorts(ports: VaultPorts): { readonly ports: VaultPorts; readonly uses: Use[] } {
  const uses: Use[] = []
  const record = (store: Use['store'], real: ObjectStore): ObjectStore => {
    const note = (action: Use['action'], key?: string) =>
      void uses.push({ store, action, ...(key !== undefined && { key }) })
    return {
      head: key => (note('s3:GetObject', key), real.head(key)),
      get: (key, maxBytes) => (note('s3:GetObject', key), real.get(key, maxBytes)),
      read: (key, ...rest) => (note('s3:GetObject', key), real.read(key, ...rest)),
      stream: (key, ...rest) => (note('s3:GetObject', key), real.stream(key, ...rest)),
      put: (key, ...rest) => (note('s3:PutObject', key), real.put(key, ...rest)),
      parts: {
        begin: key => (note('s3:PutObject', key), real.parts.begin(key)),
        put: (key, ...rest) => (note('s3:PutObject', key), real.parts.put(key, ...rest)),
        copy: (key, upload, part) => {
          // Its source is of the inbox, whoever asks for it.
          uses.push({ store: 'inbox', action: 's3:GetObject', key: part.from.key })
          note('s3:PutObject', key)
          return real.parts.copy(key, upload, part)
        },
        complete: (key, ...rest) => (note('s3:PutObject', key), real.parts.complete(key, ...rest)),
        sumOf: (key, ...rest) => (note('s3:GetObject', key), real.parts.sumOf(key, ...rest)),
        abort: (key, ...rest) => (note('s3:AbortMultipartUpload', key), real.parts.abort(key, ...rest)),
      },
      create: (key, ...rest) => (note('s3:PutObject', key), real.create(key, ...rest)),
      delete: (key, ...rest) => (note('s3:DeleteObject', key), real.delete(key, ...rest)),
      list: prefix => (note('s3:ListBucket'), real.list(prefix)),
    }
  }
  return {
    uses,
    ports: { ...ports, inbox: record('inbox', ports.inbox), vault: record('vault', ports.vault) },
  }
}
