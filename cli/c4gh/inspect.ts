import { keptRanges, totalBytes } from '#shared/crypt4gh/editList.ts'
import type { Header } from '#shared/crypt4gh/header/Header.ts'
import { HeaderCollector } from '#shared/crypt4gh/header/HeaderCollector.ts'
import { openPackets } from '#shared/crypt4gh/header/openPackets.ts'
import { readPayload } from '#shared/crypt4gh/header/payload.ts'
import { readHeaderOf } from '#shared/crypt4gh/header/readHeaderOf.ts'
import type { KeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { writeBase64 } from '#shared/crypt4gh/keys/pem.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { plainSize } from '#shared/crypt4gh/sizes.ts'
import { wipe } from '#shared/crypt4gh/wipe.ts'
import { fileError } from '../files/fileError.ts'
import { openInput } from '../files/openInput.ts'
import type { PassphraseOptions } from './passphrase.ts'
import { readKeyPairs } from './readKeys.ts'
import { standardInput } from './standardStreams.ts'

export interface InspectOptions extends PassphraseOptions {
  readonly sk: readonly string[]
  readonly json?: boolean
}

export interface PacketReport {
  readonly bytes: number
  readonly method: number
  /** Base64 of the writer's public key. */
  readonly writer?: string
  /** Base64 of the public key of the reader it opened for; absent where no key at hand opens it. */
  readonly reader?: string
  readonly holds?: 'data key' | 'edit list'
  readonly editList?: readonly number[]
}

export interface Inspection {
  readonly file: string
  readonly headerBytes: number
  readonly packets: readonly PacketReport[]
  /** Absent of a stream, whose end was not read. */
  readonly bodyBytes?: number
  readonly plainBytes?: number
  /** What a reader sees, an edit list applied. */
  readonly editedBytes?: number
}

/** Tells what headers hold, without any secret: without a private key, only what anyone can see. */
export async function inspect(files: readonly string[], options: InspectOptions): Promise<void> {
  const keys = options.sk.length > 0 ? await readKeyPairs(options.sk, options) : []
  const print = (inspection: Inspection) =>
    console.log(options.json === true ? JSON.stringify(inspection) : describe(inspection, keys.length > 0))
  try {
    if (files.length === 0) print(inspectHeader('standard input', await headerOfStandardInput(), keys))
    for (const file of files) print(await inspectFile(file, keys))
  } finally {
    wipe(...keys.map(({ secretKey }) => secretKey))
  }
}

async function headerOfStandardInput(): Promise<Header> {
  const collector = new HeaderCollector()
  for await (const chunk of standardInput()) {
    collector.push(chunk)
    if (collector.header) break
  }
  return collector.finish()
}

async function inspectFile(file: string, keys: readonly KeyPair[]): Promise<Inspection> {
  const input = openInput(file)
  try {
    const header = await readHeaderOf(input.source)
    const bodyBytes = input.source.size - header.length
    const inspection = inspectHeader(file, header, keys)
    const plainBytes = plainSize(bodyBytes)
    const list = inspection.packets.find(({ editList }) => editList)?.editList
    return {
      ...inspection,
      bodyBytes,
      plainBytes,
      ...(list && { editedBytes: totalBytes(keptRanges(list, plainBytes)) }),
    }
  } catch (error) {
    throw fileError(error, file)
  } finally {
    input.close()
  }
}

function inspectHeader(file: string, header: Header, keys: readonly KeyPair[]): Inspection {
  const { opened } = openPackets(header, keys, nodeBackend)
  const packets = header.packets.map((packet): PacketReport => {
    const mine = opened.find(each => each.packet === packet)
    const content = mine && readPayload(mine.payload)
    if (content?.kind === 'dataKey') wipe(content.dataKey)
    return {
      bytes: packet.bytes.length,
      method: packet.method,
      ...(packet.sealed && { writer: writeBase64(packet.sealed.writer) }),
      ...(mine && { reader: writeBase64(keys[mine.key]!.publicKey) }),
      ...(content && { holds: content.kind === 'dataKey' ? 'data key' : 'edit list' }),
      ...(content?.kind === 'editList' && { editList: content.editList }),
    }
  })
  wipe(...opened.map(({ payload }) => payload))
  return { file, headerBytes: header.length, packets }
}

function describe({ file, headerBytes, packets, ...sizes }: Inspection, withKey: boolean): string {
  const lines = [`${file}: Crypt4GH 1, header of ${headerBytes} bytes, ${count(packets.length, 'packet')}`]
  packets.forEach((packet, i) => lines.push(`  packet ${i + 1}: ${describePacket(packet, withKey)}`))
  if (sizes.bodyBytes !== undefined)
    lines.push(`  body: ${count(sizes.bodyBytes, 'byte')}, plain ${count(sizes.plainBytes!, 'byte')}`)
  if (sizes.editedBytes !== undefined) lines.push(`  a reader sees ${count(sizes.editedBytes, 'byte')}`)
  if (!withKey) lines.push('  For whom a packet is, and what it holds, only its reader can tell: add -s SEC.')
  return lines.join('\n')
}

function describePacket(packet: PacketReport, withKey: boolean): string {
  const parts = [`${packet.bytes} bytes`]
  parts.push(packet.method === 0 ? 'X25519 and ChaCha20-Poly1305' : `unknown method ${packet.method}`)
  if (packet.writer !== undefined) parts.push(`written by ${packet.writer}`)
  if (packet.reader !== undefined) parts.push(`for ${packet.reader}`)
  else if (withKey) parts.push('for another reader')
  if (packet.holds !== undefined) parts.push(packet.holds)
  if (packet.editList) parts.push(formatList(packet.editList))
  return parts.join(', ')
}

/** A hostile list has millions of lengths; the first tell enough. */
const formatList = (list: readonly number[]): string =>
  `[${list.slice(0, 20).join(' ')}${list.length > 20 ? ` and ${list.length - 20} more` : ''}]`

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`
