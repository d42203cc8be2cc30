import type { ObjectStore, Upload } from '#shared/vault/ports/ObjectStore.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'

/** What a killed process does next: nothing, ever. */
export class Killed extends Error {}

export interface KilledPorts {
  readonly ports: VaultPorts
  /** How many words were said. */
  said(): number
  /** What the operating system does for a dead process: gives its open files back. */
  bury(): Promise<void>
}

/**
 * The ports of a process that is killed at its `after`-th word with the world: that one is not heard any more (or, with
 * `heard`, is heard but its answer is not), and none after it is.
 */
export function killedPorts({ inbox, vault, keys }: VaultPorts, after: number, heard: boolean): KilledPorts {
  let said = 0
  const open: Upload[] = []
  const step = async <T>(act: () => Promise<T>): Promise<T> => {
    said++
    if (said < after) return act()
    if (said === after && heard) await act()
    throw new Killed()
  }
  const upload = (real: Upload): Upload => ({
    write: chunk => step(() => real.write(chunk)),
    ...(real.append && { append: bytes => step(() => real.append!(bytes)) }),
    complete: condition => step(() => real.complete(condition)),
    abort: () => step(() => real.abort()).catch(() => undefined),
  })
  const store = (real: ObjectStore): ObjectStore => ({
    head: key => step(() => real.head(key)),
    get: (key, maxBytes) => step(() => real.get(key, maxBytes)),
    read: (...args) => step(() => real.read(...args)),
    async *stream(...args) {
      for await (const chunk of real.stream(...args)) {
        await step(async () => undefined)
        yield chunk
      }
    },
    put: (...args) => step(() => real.put(...args)),
    create: key =>
      step(async () => {
        const created = await real.create(key)
        open.push(created)
        return upload(created)
      }),
    parts: {
      begin: key => step(() => real.parts.begin(key)),
      put: (...args) => step(() => real.parts.put(...args)),
      complete: (...args) => step(() => real.parts.complete(...args)),
      abort: (...args) => step(() => real.parts.abort(...args)),
    },
    delete: (...args) => step(() => real.delete(...args)),
    async *list(prefix) {
      await step(async () => undefined)
      yield* real.list(prefix)
    },
  })
  return {
    ports: { inbox: store(inbox), vault: store(vault), keys },
    said: () => said,
    async bury() {
      for (const each of open) await each.abort()
    },
  }
}
