/**
 * The order in which htslib writes bins that were first used in the order of `keys`: that of the buckets of its hash
 * table, khash (open addressing, triangular probing, doubled at a load of 0.77, rehashed in place by kicking out what
 * is in the way). The specifications leave the order open; files that are equal byte for byte can be compared by
 * digest. Answers indexes into `keys`.
 */
export function khashOrder(keys: ArrayLike<number>): Uint32Array {
  let slots = new Int32Array(0).fill(-1)
  let limit = 0
  for (let key = 0; key < keys.length; key++) {
    if (key >= limit) {
      slots = rehash(slots, keys)
      limit = Math.floor(slots.length * 0.77 + 0.5)
    }
    slots[freeSlot(slots, keys[key]!)] = key
  }
  // The last key, the pseudo-bin, is put again with its second chunk: that too enlarges a table at its limit.
  if (keys.length >= limit) slots = rehash(slots, keys)
  const order = new Uint32Array(keys.length)
  let at = 0
  for (const key of slots) if (key >= 0) order[at++] = key
  return order
}

function freeSlot(slots: Int32Array, key: number): number {
  const mask = slots.length - 1
  let at = key & mask
  for (let step = 1; slots[at]! >= 0; step++) at = (at + step) & mask
  return at
}

function rehash(old: Int32Array, keys: ArrayLike<number>): Int32Array<ArrayBuffer> {
  const slots = new Int32Array(Math.max(4, 2 * old.length)).fill(-1)
  for (let from = 0; from < old.length; from++) {
    let key = old[from]!
    old[from] = -1
    while (key >= 0) {
      const at = freeSlot(slots, keys[key]!)
      slots[at] = key
      // Whoever still waits in the old table at that place is moved next.
      key = at < old.length ? old[at]! : -1
      if (key >= 0) old[at] = -1
    }
  }
  return slots
}
