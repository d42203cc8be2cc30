/** What a WebAssembly module exports that imports nothing, of its bytes in base64. */
export const instantiate = (base64: string): WebAssembly.Exports =>
  new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(atob(base64), c => c.charCodeAt(0))))
    .exports
