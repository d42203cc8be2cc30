import { repeatsAt, stridesAt } from './memory'

for (let distance: usize = 1; distance < 16; distance++) {
  store<u8>(stridesAt + distance, <u8>(16 - (16 % distance)))
  for (let i: usize = 0; i < 16; i++) store<u8>(repeatsAt + (distance << 4) + i, <u8>(i % distance))
}

/** Sixteen bytes of which the first repeat the `distance` bytes before `to`, fewer than sixteen, without end. */
export function repeated(to: usize, distance: usize): v128 {
  return i8x16.swizzle(v128.load(to - distance), v128.load(repeatsAt + (distance << 4)))
}

/**
 * Repeats what was written `distance` bytes before: up to 15 bytes past `end`, into what is still to be written or the
 * slack.
 */
export function copyMatch(to: usize, distance: usize, end: usize): void {
  if (distance < 16) {
    const bytes = repeated(to, distance)
    const stride: usize = load<u8>(stridesAt + distance)
    for (; to < end; to += stride) v128.store(to, bytes)
  } else for (; to < end; to += 16) v128.store(to, v128.load(to - distance))
}
