import { HtsvaultError } from '#shared/errors.ts'
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

/** Says one word to the world. */
type Step = <T>(act: () => Promise<T>) => Promise<T>

/** Ports that say every word by `step`; `created` is told of every upload. */
function steppedPorts(
  { inbox, vault, keys }: VaultPorts,
  step: Step,
  created: (upload: Upload) => void = () => undefined,
): VaultPorts {
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
        const begun = await real.create(key)
        created(begun)
        return upload(begun)
      }),
    parts: {
      begin: key => step(() => real.parts.begin(key)),
      put: (...args) => step(() => real.parts.put(...args)),
      copy: (...args) => step(() => real.parts.copy(...args)),
      complete: (...args) => step(() => real.parts.complete(...args)),
      sumOf: (...args) => step(() => real.parts.sumOf(...args)),
      abort: (...args) => step(() => real.parts.abort(...args)),
    },
    delete: (...args) => step(() => real.delete(...args)),
    async *list(prefix) {
      await step(async () => undefined)
      yield* real.list(prefix)
    },
  })
  return { inbox: store(inbox), vault: store(vault), keys }
}

/**
 * The ports of a process that is killed at its `after`-th word with the world: that one is not heard any more (or, with
 * `heard`, is heard but its answer is not), and none after it is.
 */
export function killedPorts(ports: VaultPorts, after: number, heard: boolean): KilledPorts {
  let said = 0
  const open: Upload[] = []
  const step: Step = async act => {
    said++
    if (said < after) return act()
    if (said === after && heard) await act()
    throw new Killed()
  }
  return {
    ports: steppedPorts(ports, step, upload => open.push(upload)),
    said: () => said,
    async bury() {
      for (const each of open) await each.abort()
    },
  }
}

export interface PausedPorts {
  readonly ports: VaultPorts
  /** Resolves when the process stands still. */
  readonly reached: Promise<unknown>
  goOn(): void
}

/** The ports of a process that stands still before its `at`-th word with the world, until it is told to go on. */
export function pausedPorts(ports: VaultPorts, at: number): PausedPorts {
  let said = 0
  const stood = Promise.withResolvers<undefined>()
  const going = Promise.withResolvers<undefined>()
  const step: Step = async act => {
    if (++said === at) {
      stood.resolve(undefined)
      await going.promise
    }
    return act()
  }
  return { ports: steppedPorts(ports, step), reached: stood.promise, goOn: () => going.resolve(undefined) }
}

/** A store whose answer to the first write of such a key is lost, although it was written. */
export function deafStore(real: ObjectStore, key: RegExp): ObjectStore {
  let lost = false
  return {
    ...real,
    async put(name, ...rest) {
      const info = await real.put(name, ...rest)
      if (lost || !key.test(name)) return info
      lost = true
      throw new HtsvaultError('STORE_UNAVAILABLE', 'no answer came')
    },
  }
}
