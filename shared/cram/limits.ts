/**
 * What a file may declare at most. Sizes are declared before their bytes are seen, and a few bytes may inflate to
 * any number: these bounds keep memory and time finite whatever the file says. Real files stay a hundred times below.
 */

/** Bytes that one block may inflate to, and the blocks of one slice together. */
export const maxInflatedBytes = 1 << 28

/** Bytes of the container that holds the SAM header. */
export const maxHeaderBytes = 1 << 28

/** Slices in a container. */
export const maxSlices = 1 << 20

/** Blocks in a slice. */
export const maxBlocks = 1 << 16

/** Records in a slice of several references, which are decoded. */
export const maxRecords = 1 << 22

/** Read features in such a slice. */
export const maxFeatures = 1 << 26
