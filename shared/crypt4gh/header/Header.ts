/** A packet as it stands in the header: sealed for one reader. */
export interface Packet {
  /** The whole packet, its length field included. */
  readonly bytes: Uint8Array
  /** How it is sealed: 0 is X25519 with ChaCha20-Poly1305. */
  readonly method: number
  /** What method 0 has (spec §3.2.1); absent of any other, and of a packet too short for it. */
  readonly sealed?: {
    readonly writer: Uint8Array
    readonly nonce: Uint8Array
    readonly payload: Uint8Array
  }
}

export interface Header {
  readonly packets: readonly Packet[]
  /** Length of the whole header in bytes: where the body begins. */
  readonly length: number
}

/** `crypt4gh`, the first 8 bytes of every file. */
export const magic: readonly number[] = [0x63, 0x72, 0x79, 0x70, 0x74, 0x34, 0x67, 0x68]
export const version = 1
/** Magic, version and packet count. */
export const preambleBytes = 16
/** Length and method. */
export const packetPreambleBytes = 8
/** What method 0 adds to a payload: preamble, writer's public key, nonce, MAC. */
export const packetOverheadBytes = packetPreambleBytes + 32 + 12 + 16

/** Limits that are checked before anything is allocated. */
export const maxPackets = 65536
export const maxPacketBytes = 1 << 24
/** Two keys and an edit list for each of thousands of readers; and little enough to hold. */
export const maxHeaderBytes = 1 << 25
