/**
 * What a file may declare at most. Sizes are declared before their bytes are seen, and a few bytes may stand for any
 * number of bytes, records or features: these bounds keep memory and time finite, and in proportion to the file,
 * whatever it says. Real files stay a hundred times below.
 */

/** Bytes that one block may inflate to, and the decoded blocks of one slice together. */
export const maxInflatedBytes = 1 << 27

/** Bytes of the container that holds the SAM header. */
export const maxHeaderBytes = 1 << 28

/** Slices in a container. */
export const maxSlices = 1 << 20

/** Blocks in a slice. */
export const maxBlocks = 1 << 16

/** Bytes that a block of `stored` bytes may inflate to: gzip reaches 1,032 times, the other methods any number. */
export const inflatedLimit = (stored: number): number => Math.min(maxInflatedBytes, 2 ** 20 + 4096 * stored)

/** Records in a slice of several references, which are decoded, by the slice's size in bytes. */
export const recordLimit = (sliceBytes: number): number => Math.min(2 ** 22, 2 ** 16 + 1024 * sliceBytes)

/** Read features in such a slice. */
export const featureLimit = (sliceBytes: number): number => Math.min(2 ** 26, 2 ** 16 + 1024 * sliceBytes)
