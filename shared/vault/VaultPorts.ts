import type { Announcements } from './ports/Announcements.ts'
import type { KeyStore } from './ports/KeyStore.ts'
import type { LargeIngests } from './ports/LargeIngests.ts'
import type { ObjectStore } from './ports/ObjectStore.ts'

/** All that the vault's rules need of the world. */
export interface VaultPorts {
  /** Uploads, as they came. */
  readonly inbox: ObjectStore
  /** What is served: bodies, indexes, block maps, manifests, dataset settings. */
  readonly vault: ObjectStore
  readonly keys: KeyStore
  /** Who is told of files that are ready or refused; absent where nobody is. */
  readonly announcements?: Announcements
  /** Who takes in the files that are too large for one pass; absent where all are taken in so. */
  readonly large?: LargeIngests
}
