const tails = new Map<string, Promise<undefined>>()

/** Runs `work` when all earlier work under that name, anywhere in this process, is done. */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const before = tails.get(name)
  const { promise, resolve } = Promise.withResolvers<undefined>()
  tails.set(name, promise)
  await before
  try {
    return await work()
  } finally {
    if (tails.get(name) === promise) tails.delete(name)
    resolve(undefined)
  }
}
