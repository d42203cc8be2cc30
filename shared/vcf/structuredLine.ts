// No two parts that repeat can match the same text: a hostile line costs time in proportion to its length.
const entry = /\s*([A-Za-z_][0-9A-Za-z_.]*)\s*=(\s*"(?:[^"\\]|\\.)*"\s*|\s*\[[^\]]*\]\s*|[^,>]*)([,>])/y

/**
 * The keys and values between the angle brackets of a structured header line, `##contig=<ID=chr1,length=9>`
 * (VCFv4.3 §1.4); quotes are taken off. `undefined` where the line is not of that form. Of a key given twice the
 * first counts, as in htslib.
 */
export function readStructuredLine(line: string): Map<string, string> | undefined {
  const open = line.indexOf('=<')
  if (open === -1) return undefined
  const values = new Map<string, string>()
  entry.lastIndex = open + 2
  for (;;) {
    const match = entry.exec(line)
    if (!match) return undefined
    const [, key, value, closing] = match
    if (!values.has(key!)) values.set(key!, unquote(value!))
    if (closing === '>') return values
  }
}

function unquote(value: string): string {
  const text = value.trim()
  return text.startsWith('"') ? text.slice(1, -1).replaceAll(/\\(.)/g, '$1') : text
}
