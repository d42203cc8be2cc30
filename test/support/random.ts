/** Numbers that look random and are the same on every machine and run. */
export interface Random {
  /** 0 (included) to 1 (excluded). */
  next(): number
  /** An integer from 0 to `limit`, excluded. */
  below(limit: number): number
  /** An integer from `from` to `to`, both included. */
  between(from: number, to: number): number
  pick<T>(items: ArrayLike<T>): T
  chance(probability: number): boolean
  /** Normally distributed, rounded. */
  around(mean: number, deviation: number): number
}

/** Makes a generator from a seed (mulberry32: 32 bits of state, full period). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    next,
    below,
    between: (from, to) => from + below(to - from + 1),
    pick: items => items[below(items.length)]!,
    chance: probability => next() < probability,
    around: (mean, deviation) => {
      // Twelve uniform numbers: a normal distribution without the logarithms that differ between engines.
      let sum = -6
      for (let i = 0; i < 12; i++) sum += next()
      return Math.round(mean + deviation * sum)
    },
  }
}
