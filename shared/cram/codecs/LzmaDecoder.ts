import { corrupt } from '../cramErrors.ts'

const statesCount = 12
const maxPositionStates = 16
const half = 1024

/** A length's own code: short, middle and long ones (2 to 273 bytes). */
class LengthModel {
  readonly choice = new Uint16Array(2)
  readonly low = new Uint16Array(maxPositionStates << 3)
  readonly middle = new Uint16Array(maxPositionStates << 3)
  readonly high = new Uint16Array(256)

  reset(): void {
    for (const each of [this.choice, this.low, this.middle, this.high]) each.fill(half)
  }
}

/** The chunks of an LZMA2 stream, decoded into one buffer which is its dictionary too (LZMA specification, 2015). */
export class LzmaDecoder {
  readonly out: Uint8Array
  length = 0

  /** Where the dictionary begins: distances reach back no further. */
  #dictionary = 0
  #literalContext = 0
  #literalPositionMask = 0
  #positionMask = 0
  #ready = false

  #literals = new Uint16Array(0)
  readonly #isMatch = new Uint16Array(statesCount << 4)
  readonly #isRep = new Uint16Array(statesCount)
  readonly #isRep0 = new Uint16Array(statesCount)
  readonly #isRep1 = new Uint16Array(statesCount)
  readonly #isRep2 = new Uint16Array(statesCount)
  readonly #isRep0Long = new Uint16Array(statesCount << 4)
  readonly #slots = new Uint16Array(4 << 6)
  readonly #positions = new Uint16Array(128)
  readonly #align = new Uint16Array(16)
  readonly #matchLength = new LengthModel()
  readonly #repLength = new LengthModel()
  #state = 0
  #reps = [0, 0, 0, 0]

  #input: Uint8Array = new Uint8Array(0)
  #at = 0
  #range = 0
  #code = 0

  constructor(rawSize: number) {
    this.out = new Uint8Array(rawSize)
  }

  resetDictionary(): void {
    this.#dictionary = this.length
  }

  /** New properties, in their one byte; the state begins anew. @throws HtsvaultError CRAM_CORRUPT */
  setProperties(byte: number): void {
    const context = byte % 9
    const literalPosition = Math.floor(byte / 9) % 5
    const position = Math.floor(byte / 45)
    if (position > 4 || context + literalPosition > 4)
      throw corrupt('an LZMA block has properties that cannot be')
    this.#literalContext = context
    this.#literalPositionMask = (1 << literalPosition) - 1
    this.#positionMask = (1 << position) - 1
    this.#literals = new Uint16Array(0x300 << (context + literalPosition))
    this.#ready = true
    this.resetState()
  }

  resetState(): void {
    const models = [this.#literals, this.#isMatch, this.#isRep, this.#isRep0, this.#isRep1, this.#isRep2]
    for (const each of [...models, this.#isRep0Long, this.#slots, this.#positions, this.#align])
      each.fill(half)
    this.#matchLength.reset()
    this.#repLength.reset()
    this.#state = 0
    this.#reps = [0, 0, 0, 0]
  }

  /** An uncompressed chunk. @throws HtsvaultError CRAM_CORRUPT */
  copy(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.out.length) throw tooLong()
    this.out.set(bytes, this.length)
    this.length += bytes.length
  }

  /** A compressed chunk that gives `rawSize` bytes. @throws HtsvaultError CRAM_CORRUPT */
  decode(chunk: Uint8Array, rawSize: number): void {
    const end = this.length + rawSize
    if (end > this.out.length) throw tooLong()
    if (!this.#ready || chunk.length < 5) throw corrupt('an LZMA block has a chunk that cannot be')
    this.#input = chunk
    this.#code = (chunk[1]! * 2 ** 24 + (chunk[2]! << 16) + (chunk[3]! << 8) + chunk[4]!) >>> 0
    this.#range = 0xffffffff
    this.#at = 5
    while (this.length < end) {
      const positionState = (this.length - this.#dictionary) & this.#positionMask
      if (this.#bit(this.#isMatch, (this.#state << 4) + positionState) === 0) this.#literal()
      else this.#match(positionState, end)
    }
  }

  #literal(): void {
    const { out, length } = this
    const within = length - this.#dictionary
    const previous = within > 0 ? out[length - 1]! : 0
    const context =
      ((within & this.#literalPositionMask) << this.#literalContext) +
      (previous >>> (8 - this.#literalContext))
    const base = 0x300 * context
    let symbol = 1
    if (this.#state >= 7) {
      let match = out[this.#source(this.#reps[0]!)]!
      do {
        const matchBit = (match >>> 7) & 1
        match <<= 1
        const bit = this.#bit(this.#literals, base + ((1 + matchBit) << 8) + symbol)
        symbol = (symbol << 1) | bit
        if (matchBit !== bit) break
      } while (symbol < 0x100)
    }
    while (symbol < 0x100) symbol = (symbol << 1) | this.#bit(this.#literals, base + symbol)
    out[this.length++] = symbol & 0xff
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6
  }

  #match(positionState: number, end: number): void {
    const state = this.#state
    const reps = this.#reps
    let length: number
    if (this.#bit(this.#isRep, state) === 0) {
      reps[3] = reps[2]!
      reps[2] = reps[1]!
      reps[1] = reps[0]!
      length = this.#length(this.#matchLength, positionState)
      reps[0] = this.#distance(length)
      this.#state = state < 7 ? 7 : 10
    } else {
      if (this.#bit(this.#isRep0, state) === 0) {
        if (this.#bit(this.#isRep0Long, (state << 4) + positionState) === 0) {
          this.out[this.length] = this.out[this.#source(reps[0]!)]!
          this.length++
          this.#state = state < 7 ? 9 : 11
          return
        }
      } else {
        let which = 1
        if (this.#bit(this.#isRep1, state) === 1) which = this.#bit(this.#isRep2, state) === 0 ? 2 : 3
        const distance = reps[which]!
        for (; which > 0; which--) reps[which] = reps[which - 1]!
        reps[0] = distance
      }
      length = this.#length(this.#repLength, positionState)
      this.#state = state < 7 ? 8 : 11
    }
    let from = this.#source(reps[0]!)
    if (this.length + length > end) throw tooLong()
    const { out } = this
    for (let to = this.length; length > 0; length--) out[to++] = out[from++]!
    this.length += from - this.#source(reps[0]!)
  }

  /** Where a distance (0: the last byte) reaches back to. */
  #source(distance: number): number {
    const from = this.length - distance - 1
    if (from < this.#dictionary) throw corrupt('an LZMA block reaches back before its beginning')
    return from
  }

  #length(model: LengthModel, positionState: number): number {
    if (this.#bit(model.choice, 0) === 0) return 2 + this.#tree(model.low, positionState << 3, 3)
    if (this.#bit(model.choice, 1) === 0) return 10 + this.#tree(model.middle, positionState << 3, 3)
    return 18 + this.#tree(model.high, 0, 8)
  }

  #distance(length: number): number {
    const slot = this.#tree(this.#slots, Math.min(length - 2, 3) << 6, 6)
    if (slot < 4) return slot
    const directBits = (slot >>> 1) - 1
    const base = (2 | (slot & 1)) * 2 ** directBits
    if (slot < 14) return base + this.#reverseTree(this.#positions, base - slot, directBits)
    let direct = 0
    for (let i = directBits - 4; i > 0; i--) {
      this.#range = this.#range >>> 1
      const bit = this.#code >= this.#range ? 1 : 0
      if (bit) this.#code -= this.#range
      direct = direct * 2 + bit
      this.#normalise()
    }
    return base + direct * 16 + this.#reverseTree(this.#align, 0, 4)
  }

  #tree(model: Uint16Array, base: number, bits: number): number {
    let symbol = 1
    for (let i = 0; i < bits; i++) symbol = (symbol << 1) | this.#bit(model, base + symbol)
    return symbol - (1 << bits)
  }

  #reverseTree(model: Uint16Array, base: number, bits: number): number {
    let node = 1
    let symbol = 0
    for (let i = 0; i < bits; i++) {
      const bit = this.#bit(model, base + node)
      node = (node << 1) | bit
      symbol |= bit << i
    }
    return symbol
  }

  #bit(model: Uint16Array, at: number): number {
    const probability = model[at]!
    const bound = (this.#range >>> 11) * probability
    let bit: number
    if (this.#code < bound) {
      this.#range = bound
      model[at] = probability + ((2048 - probability) >>> 5)
      bit = 0
    } else {
      this.#range -= bound
      this.#code -= bound
      model[at] = probability - (probability >>> 5)
      bit = 1
    }
    this.#normalise()
    return bit
  }

  #normalise(): void {
    if (this.#range >= 2 ** 24) return
    // Past the end only in a damaged chunk: zeros come, and the sizes or the distances end it.
    this.#range = (this.#range * 256) >>> 0
    this.#code = ((this.#code << 8) | (this.#input[this.#at++] ?? 0)) >>> 0
  }
}

const tooLong = () => corrupt('an LZMA block is longer than it declares')
