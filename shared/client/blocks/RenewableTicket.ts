import { HtsvaultError } from '#shared/errors.ts'
import type { Ticket, TicketBlock } from '../Ticket.ts'
import { rangeHeaderOf } from './byteRange.ts'

/** A ticket whose URLs may expire while its blocks are read: a new one then takes its place, once for all readers. */
export class RenewableTicket {
  #ticket: Ticket
  #generation = 0
  /** Whether any URL of the present ticket was good: one whose URLs never are is not renewed again. */
  #proven = true
  #renewing: Promise<boolean> | undefined
  readonly #renew: (() => Promise<Ticket>) | undefined

  constructor(ticket: Ticket, renew?: () => Promise<Ticket>) {
    this.#ticket = ticket
    this.#renew = renew
  }

  block(index: number): { block: TicketBlock; generation: number } {
    return { block: this.#ticket.blocks[index]!, generation: this.#generation }
  }

  proven(generation: number): void {
    if (generation === this.#generation) this.#proven = true
  }

  /**
   * A URL of this generation was refused: whether there is another to try.
   * @throws HtsvaultError TICKET_CHANGED where the new ticket is not for the same blocks; what fetching it throws
   */
  async refused(generation: number): Promise<boolean> {
    if (generation !== this.#generation) return true
    if (!this.#renew || !this.#proven) return this.#renewing ?? false
    this.#proven = false
    this.#renewing = this.#replace(this.#renew).finally(() => (this.#renewing = undefined))
    return this.#renewing
  }

  async #replace(renew: () => Promise<Ticket>): Promise<boolean> {
    const ticket = await renew()
    if (!isAlike(ticket, this.#ticket))
      throw new HtsvaultError('TICKET_CHANGED', 'the ticket expired, and a new one is for other blocks', {
        hint: 'The file was replaced, or the server plans anew each time. Start again, or with fewer regions.',
      })
    this.#ticket = ticket
    this.#generation++
    return true
  }
}

/** Whether two tickets have the same blocks, as far as that shows: their URLs and tokens may differ. */
function isAlike(a: Ticket, b: Ticket): boolean {
  const inline = ({ url }: TicketBlock) => (url.startsWith('data:') ? url : undefined)
  return (
    a.format === b.format &&
    a.md5 === b.md5 &&
    a.blocks.length === b.blocks.length &&
    a.blocks.every((block, i) => {
      const other = b.blocks[i]!
      return (
        block.class === other.class &&
        inline(block) === inline(other) &&
        rangeHeaderOf(block.headers) === rangeHeaderOf(other.headers)
      )
    })
  )
}
