import { HtsvaultError } from '#shared/errors.ts'
import { readStructuredLine } from '#shared/vcf/structuredLine.ts'

/** The types of BCF values (VCFv4.3 §6.3.3), their widths, and the values that mean "none" and "no more". */
const types: Readonly<Record<number, { width: number; missing: number; end: number }>> = {
  1: { width: 1, missing: -128, end: -127 },
  2: { width: 2, missing: -32768, end: -32767 },
  3: { width: 4, missing: -(2 ** 31), end: -(2 ** 31) + 1 },
  5: { width: 4, missing: 0x7f800001, end: 0x7f800002 },
  7: { width: 1, missing: 7, end: 0 },
}
const float = 5
const character = 7

interface Typed {
  readonly type: number
  /** How many values. */
  readonly count: number
}

/** Writes BCF records as lines of VCF, as `bcftools view` does (VCFv4.3 §6.3). */
export class BcfText {
  readonly #names: ReadonlyMap<number, string>
  readonly #contigs: ReadonlyMap<number, string>
  readonly #genotype: number
  readonly #decoder = new TextDecoder()
  #bytes = new Uint8Array(0)
  #view = new DataView(new ArrayBuffer(0))
  #at = 0
  #end = 0

  /** `header` is the file's own; `contigs` the names of its contigs by number. */
  constructor(header: string, contigs: ReadonlyMap<number, string>) {
    this.#names = dictionary(header)
    this.#contigs = contigs
    this.#genotype = [...this.#names].find(([, name]) => name === 'GT')?.[0] ?? -1
  }

  /**
   * The record whose fixed fields begin at `at`, which has its site's values up to `sharedEnd` and its samples' to `end`.
   * @throws HtsvaultError BCF_RECORD_INVALID
   */
  line(bytes: Uint8Array<ArrayBuffer>, at: number, sharedEnd: number, end: number): string {
    const view = (this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    this.#bytes = bytes
    const chrom = view.getInt32(at, true)
    const quality = view.getInt32(at + 12, true)
    const counts = view.getUint32(at + 16, true)
    const samples = view.getUint32(at + 20, true)
    this.#at = at + 24
    this.#end = sharedEnd
    const id = this.#text() || '.'
    const alleles = Array.from({ length: counts >>> 16 }, () => this.#text())
    const columns = [
      this.#contigs.get(chrom) ?? fail('is on a contig that the header does not have'),
      String(view.getInt32(at + 4, true) + 1),
      id,
      alleles[0] ?? '.',
      alleles.slice(1).join(',') || '.',
      quality === types[float]!.missing ? '.' : formatFloat(view.getFloat32(at + 12, true)),
      this.#integers()
        .map(name => this.#name(name))
        .join(';') || '.',
      Array.from({ length: counts & 0xffff }, () => this.#info()).join(';') || '.',
    ]
    this.#at = sharedEnd
    this.#end = end
    return [...columns, ...this.#samples(samples & 0xffffff, samples >>> 24)].join('\t')
  }

  #info(): string {
    const name = this.#name(this.#integers()[0] ?? -1)
    const typed = this.#typed()
    return typed.count === 0 ? name : `${name}=${this.#values(typed)}`
  }

  #samples(samples: number, fields: number): string[] {
    if (samples === 0) return []
    const names: string[] = []
    const columns = Array.from({ length: samples }, () => [] as string[])
    for (let field = 0; field < fields; field++) {
      const key = this.#integers()[0] ?? -1
      names.push(this.#name(key))
      const typed = this.#typed()
      for (const column of columns)
        column.push(key === this.#genotype ? this.#genotypeOf(typed) : this.#values(typed))
    }
    return [names.join(':') || '.', ...columns.map(values => values.join(':') || '.')]
  }

  #name(key: number): string {
    return this.#names.get(key) ?? fail('has a FILTER, INFO or FORMAT that the header does not have')
  }

  /** The type and number of the values that follow (§6.3.3). */
  #typed(): Typed {
    this.#need(1)
    const byte = this.#bytes[this.#at++]!
    const type = byte & 15
    const count = byte >>> 4 === 15 ? (this.#integers()[0] ?? -1) : byte >>> 4
    if (count < 0 || (type !== 0 && !types[type])) fail('has a value of no known type')
    return { type, count: type === 0 ? 0 : count }
  }

  #integers(): number[] {
    const { type, count } = this.#typed()
    if (count > 0 && type > 3) fail('has something else where numbers are expected')
    this.#need(count * (types[type]?.width ?? 0))
    return Array.from({ length: count }, () => this.#integer(type))
  }

  #integer(type: number): number {
    const at = this.#at
    this.#at += types[type]!.width
    return type === 1
      ? this.#view.getInt8(at)
      : type === 2
        ? this.#view.getInt16(at, true)
        : this.#view.getInt32(at, true)
  }

  #text(): string {
    const typed = this.#typed()
    return typed.count === 0 ? '' : this.#values(typed)
  }

  /** Values as VCF joins them; `.` where there are none. */
  #values({ type, count }: Typed): string {
    if (count === 0) return '.'
    const { width, missing, end } = types[type]!
    this.#need(count * width)
    const from = this.#at
    this.#at += count * width
    if (type === character) {
      const bytes = this.#bytes.subarray(from, this.#at)
      const stop = bytes.indexOf(0)
      const text = this.#decoder.decode(stop < 0 ? bytes : bytes.subarray(0, stop))
      return text.replaceAll('\x07', '.')
    }
    const next = this.#at
    this.#at = from
    const values: string[] = []
    for (let i = 0; i < count; i++) {
      const number = type === float ? this.#view.getFloat32(this.#at, true) : 0
      // A float says "none" by its bits.
      const value = this.#integer(type)
      if (value === end) break
      values.push(value === missing ? '.' : type === float ? formatFloat(number) : String(value))
    }
    this.#at = next
    return values.join(',')
  }

  /** Alleles by number, with what stands between them: §6.3.3, "Genotype". */
  #genotypeOf({ type, count }: Typed): string {
    if (count === 0 || type > 3) return fail('has a genotype that is none')
    const { width, end } = types[type]!
    this.#need(count * width)
    const next = this.#at + count * width
    let text = ''
    for (let i = 0; i < count; i++) {
      const value = this.#integer(type)
      if (value === end) break
      if (i > 0) text += value & 1 ? '|' : '/'
      text += value >> 1 === 0 ? '.' : String((value >> 1) - 1)
    }
    this.#at = next
    return text || '.'
  }

  #need(bytes: number): void {
    if (this.#at + bytes > this.#end) fail('holds less than its fields announce')
  }
}

/** FILTER, INFO and FORMAT by number: `IDX=`, or one after another, each name once; PASS is 0 (§6.2.1). */
function dictionary(header: string): Map<number, string> {
  const numbers = new Map([['PASS', 0]])
  let next = 1
  for (const line of header.split('\n')) {
    if (!/^##(FILTER|INFO|FORMAT)=</.test(line)) continue
    const values = readStructuredLine(line)
    const name = values?.get('ID')
    if (name === undefined || numbers.has(name)) continue
    const idx = Number(values?.get('IDX') ?? next)
    numbers.set(name, idx)
    next = Math.max(next, idx + 1)
  }
  return new Map([...numbers].map(([name, number]) => [number, name]))
}

/** C's `%g`: six digits. */
function formatFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [digits = '', exponent = '0'] = value.toExponential(5).split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 6) return String(Number(value.toPrecision(6)))
  const sign = power < 0 ? '-' : '+'
  return `${String(Number(digits))}e${sign}${String(Math.abs(power)).padStart(2, '0')}`
}

function fail(what: string): never {
  throw new HtsvaultError('BCF_RECORD_INVALID', `a record ${what}`, {
    hint: 'Make the file again: bcftools view -Ob -o NEW.bcf FILE',
  })
}
