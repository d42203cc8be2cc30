/** A text for a terminal: who names an upload is not to send it commands, nor lines of their own. */
export const printable = (text: string): string =>
  text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
