/** The field of the curve. */
const p = 2n ** 255n - 19n

/** The u of the points whose order divides 8, below 2^255, as RFC 7748 §5 reads them: 0, 1, -1, two of order 8, and p and p + 1 for 0 and 1. */
const lowOrder: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
  p - 1n,
  p,
  p + 1n,
])

/** Whether no secret can be agreed on with this X25519 public key, of 32 bytes: whoever tries gets zeros (RFC 7748 §6.1). */
export const isLowOrder = (publicKey: Uint8Array): boolean => lowOrder.has(coordinate(publicKey))

/**
 * The X25519 public key of an ed25519 one: u = (1 + y) / (1 - y) (RFC 7748 §4.1). Public bytes only, so BigInt's
 * uneven timing gives nothing away; loading a curve library would cost a function's start 20 ms.
 */
export function montgomeryOf(edwards: Uint8Array): Uint8Array {
  const y = coordinate(edwards)
  let u = mod((1n + y) * invert(mod(1n - y)))
  const out = new Uint8Array(32)
  for (let i = 0; i < 32; i++, u >>= 8n) out[i] = Number(u & 0xffn)
  return out
}

/** 32 bytes, little-endian, without the highest bit: of u it is to be passed over, of y it is the sign of x. */
function coordinate(bytes: Uint8Array): bigint {
  let value = 0n
  for (let i = 31; i >= 0; i--) value = (value << 8n) | BigInt(i === 31 ? bytes[i]! & 0x7f : bytes[i]!)
  return value
}

const mod = (a: bigint) => ((a % p) + p) % p

/** By Fermat: a^(p-2). */
function invert(a: bigint): bigint {
  let result = 1n
  for (let exponent = p - 2n, base = a; exponent > 0n; exponent >>= 1n, base = mod(base * base))
    if (exponent & 1n) result = mod(result * base)
  return result
}
