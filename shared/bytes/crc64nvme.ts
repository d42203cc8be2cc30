import { crc64nvmeModule } from './crc64nvmeModule.ts'
import { instantiate } from './instantiate.ts'

/** The polynomial x^64 + …, bits reversed: the lowest bit is the highest power. */
const polynomial = 0x9a6c9329ac4bc9b5n

/** What wasm/crc64nvme.ts exports. */
interface Summer {
  readonly memory: WebAssembly.Memory
  readonly inputAt: WebAssembly.Global<'i32'>
  readonly prepare: () => void
  readonly update: (checksum: bigint, size: number) => bigint
}

const inputBytes = 65536

/** Of this thread; compiled when it is first needed. */
let summer: { update: Summer['update']; input: Uint8Array } | undefined

/**
 * The CRC-64/NVME of bytes, S3's default checksum; `before`: that of the bytes before them. About 2 GB a second.
 *
 *     crc64nvme(new TextEncoder().encode('123456789')) === 0xae8b14860a799888n
 */
export function crc64nvme(bytes: Uint8Array, before = 0n): bigint {
  summer ??= openSummer()
  let checksum = before
  for (let at = 0; at < bytes.length; at += inputBytes) {
    const piece = bytes.subarray(at, at + inputBytes)
    summer.input.set(piece)
    checksum = summer.update(checksum, piece.length)
  }
  return BigInt.asUintN(64, checksum)
}

function openSummer(): NonNullable<typeof summer> {
  const { memory, inputAt, prepare, update } = instantiate(crc64nvmeModule) as unknown as Summer
  prepare()
  return { update, input: new Uint8Array(memory.buffer, inputAt.value, inputBytes) }
}

/** The CRC of bytes followed by `length` others, of the CRCs of both: for parts that were summed apart, in any order. */
export function joinCrc64nvme(first: bigint, second: bigint, length: number): bigint {
  return multiply(first, powerOf(length)) ^ second
}

/** How S3 writes it: base64 of its eight bytes, the highest first. */
export function writeCrc64nvme(crc: bigint): string {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, crc)
  return btoa(String.fromCharCode(...bytes))
}

/** Reads what `writeCrc64nvme` writes; nothing where it is something else. */
export function readCrc64nvme(text: string | undefined): bigint | undefined {
  if (text === undefined || !/^[A-Za-z0-9+/]{11}=$/.test(text)) return undefined
  const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0))
  return new DataView(bytes.buffer).getBigUint64(0)
}

/** 1, bits reversed. */
const one = 1n << 63n

/** The product of two polynomials over GF(2), modulo the CRC's. */
function multiply(a: bigint, b: bigint): bigint {
  let product = 0n
  let shifted = b
  for (let bit = one; bit > 0n; bit >>= 1n) {
    if (a & bit) product ^= shifted
    shifted = shifted & 1n ? (shifted >> 1n) ^ polynomial : shifted >> 1n
  }
  return product
}

/** The lengths of a file's parts are few: the last one is kept. */
let lastPower = { length: 0, power: one }

/** x^(8 length), modulo the CRC's polynomial: what `length` bytes more multiply a remainder by. */
function powerOf(length: number): bigint {
  if (lastPower.length === length) return lastPower.power
  let power = one
  // x^8
  let square = one >> 8n
  for (let left = length; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power = multiply(power, square)
    square = multiply(square, square)
  }
  lastPower = { length, power }
  return power
}
