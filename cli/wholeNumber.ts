import { InvalidArgumentError, Option } from 'commander'

/** Reads an option's value: a whole number from one to another, both included. */
export function wholeNumber(from: number, to: number): (text: string) => number {
  return text => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < from || value > to)
      throw new InvalidArgumentError(`expected a whole number from ${from} to ${to}`)
    return value
  }
}

/** How many threads share one file. */
export const threadsOption = (): Option =>
  new Option('--threads <n>', 'how many threads share one file').argParser(wholeNumber(1, 64))
