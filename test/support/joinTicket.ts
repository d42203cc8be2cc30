import { answerData } from '#shared/vault/answerData.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'

export interface TicketJson {
  readonly htsget: {
    readonly format: string
    readonly urls: readonly {
      readonly url: string
      readonly class?: string
      readonly headers?: Readonly<Record<string, string>>
    }[]
  }
}

/** Where the data URLs of tickets made here begin. */
export const dataUrl = 'http://vault/data/'

/** The bytes of one URL of a ticket. */
export async function fetchUrl(url: string, ports: VaultPorts, range?: string): Promise<Buffer> {
  const inline = /^data:;base64,(.*)$/.exec(url)?.[1]
  if (inline !== undefined) return Buffer.from(inline, 'base64')
  if (!url.startsWith(dataUrl)) throw new Error(`no URL of this vault: ${url}`)
  const reply = await answerData(ports, url.slice(dataUrl.length), range)
  const chunks: Uint8Array[] = []
  for await (const chunk of reply.body) chunks.push(Uint8Array.from(chunk))
  const bytes = Buffer.concat(chunks)
  if (bytes.length !== Number(reply.headers['Content-Length']))
    throw new Error(`${bytes.length} bytes, ${reply.headers['Content-Length']} were declared`)
  return bytes
}

/** What a client joins from a ticket's URLs. */
export async function joinTicket(ticket: string, ports: VaultPorts): Promise<Buffer> {
  const { urls } = (JSON.parse(ticket) as TicketJson).htsget
  return Buffer.concat(await Promise.all(urls.map(({ url }) => fetchUrl(url, ports))))
}
