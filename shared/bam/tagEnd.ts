/** Bytes of a tag's value by its type; of an array's element by its subtype. */
const valueSizes: Readonly<Record<string, number>> = { A: 1, c: 1, C: 1, s: 2, S: 2, i: 4, I: 4, f: 4, d: 8 }
const sizeOfType = new Uint8Array(256)
for (const [type, size] of Object.entries(valueSizes)) sizeOfType[type.charCodeAt(0)] = size

const letterB = 0x42
const letterH = 0x48
const letterZ = 0x5a

/** Where the tag ends that begins at `at` (SAMv1 §4.2.4); -1 where it does not end by `end`, or has no known type. */
export function tagEnd(view: DataView, at: number, end: number): number {
  if (at + 3 > end) return -1
  const type = view.getUint8(at + 2)
  const value = at + 3
  let next: number
  if (type === letterZ || type === letterH) {
    next = value
    while (next < end && view.getUint8(next) !== 0) next++
    next++
  } else if (type === letterB) {
    if (value + 5 > end) return -1
    const elementSize = sizeOfType[view.getUint8(value)]!
    if (elementSize === 0) return -1
    next = value + 5 + elementSize * view.getUint32(value + 1, true)
  } else {
    if (sizeOfType[type] === 0) return -1
    next = value + sizeOfType[type]!
  }
  return next > end ? -1 : next
}
