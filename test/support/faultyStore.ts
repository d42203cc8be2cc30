import { HtsvaultError } from '#shared/errors.ts'
import type { ObjectStore } from '#shared/vault/ports/ObjectStore.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'

/** What happens to a read of the vault: undefined, nothing. */
export interface Fault {
  /** Thrown before anything was read. */
  readonly error?: Error
  /** Of a stream: thrown after so many bytes. */
  readonly afterBytes?: number
  /** Waits so long first, in milliseconds. */
  readonly delay?: number
}

export const outage = () =>
  new HtsvaultError('STORE_UNAVAILABLE', 'the storage does not answer: secret detail')
export const shortRead = () => new HtsvaultError('SHORT_READ', 'the storage gave fewer bytes')

/** Ports whose vault fails as `fault` says of each read, by key. */
export function faultyPorts(ports: VaultPorts, fault: (key: string) => Fault | undefined): VaultPorts {
  const { vault } = ports
  const before = async (key: string): Promise<Fault | undefined> => {
    const found = fault(key)
    if (found?.delay !== undefined) await new Promise(resolve => setTimeout(resolve, found.delay))
    if (found?.error !== undefined && found.afterBytes === undefined) throw found.error
    return found
  }
  const faulty: ObjectStore = {
    ...vault,
    head: async key => (await before(key), vault.head(key)),
    get: async (key, maxBytes) => (await before(key), vault.get(key, maxBytes)),
    read: async (key, ...rest) => (await before(key), vault.read(key, ...rest)),
    async *stream(key, ...rest) {
      const found = await before(key)
      let left = found?.afterBytes ?? Infinity
      for await (const chunk of vault.stream(key, ...rest)) {
        if (chunk.length > left) {
          yield chunk.subarray(0, left)
          throw found!.error!
        }
        left -= chunk.length
        yield chunk
      }
    },
  }
  return { ...ports, vault: faulty }
}
