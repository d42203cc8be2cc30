import type { ObjectStore } from './ports/ObjectStore.ts'

/** Something that is kept for each store, and goes with it. */
export function perStore<T>(make: () => T): (store: ObjectStore) => T {
  const kept = new WeakMap<ObjectStore, T>()
  return store => {
    const found = kept.get(store)
    if (found !== undefined) return found
    const made = make()
    kept.set(store, made)
    return made
  }
}
