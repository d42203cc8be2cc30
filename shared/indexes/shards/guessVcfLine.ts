const newline = 10
const tab = 9

/**
 * Guesses that a line begins behind the first newline; or at once, if what comes before it has as many columns as
 * the next line, and the same CHROM: some writers end blocks with lines. A GuessRecord.
 */
export function guessVcfLine(plain: Uint8Array, ended: boolean): number {
  const first = plain.indexOf(newline)
  if (first === -1) return ended ? plain.length : -1
  const second = plain.indexOf(newline, first + 1)
  if (second === -1 && !ended) return -1
  const isLine = second === -1 ? tabs(plain, 0, first) >= 7 : alike(plain, first, second)
  return isLine ? 0 : first + 1
}

function alike(plain: Uint8Array, first: number, second: number): boolean {
  for (let i = 0; i < first; i++) {
    if (plain[i] !== plain[first + 1 + i]) return false
    if (plain[i] === tab) return tabs(plain, i, first) === tabs(plain, first + 1 + i, second)
  }
  return false
}

function tabs(plain: Uint8Array, from: number, to: number): number {
  let count = 0
  for (let at = plain.indexOf(tab, from); at >= 0 && at < to; at = plain.indexOf(tab, at + 1)) count++
  return count
}
