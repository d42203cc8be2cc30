import type { StreamOptions } from '#shared/bytes/ByteSource.ts'

export interface ObjectInfo {
  readonly key: string
  /** Length in bytes. */
  readonly size: number
  /** Changes whenever the object's bytes do; opaque. */
  readonly etag: string
  /** When the object was last written. */
  readonly modified: Date
}

export interface PutCondition {
  /** Only if there is no object of that key. */
  readonly ifAbsent?: boolean
  /** Only if the object's etag is this one. */
  readonly ifMatch?: string
}

/** An object that was written, and what was handed over to be written. */
export interface WrittenObject extends ObjectInfo {
  /** The CRC-64/NVME of the bytes as they were handed over, base64 as S3 has it. */
  readonly crc64nvme: string
}

/** Bytes of an object of some store, and of that version alone. */
export interface StoredBytes {
  readonly store: ObjectStore
  readonly key: string
  readonly start: number
  readonly end: number
  readonly etag: string
  /** Their CRC-64/NVME, by whoever read them: other bytes than these are not to be stored. */
  readonly crc64nvme: bigint
}

/** An object being written, piece by piece; nobody sees it before `complete`, and nothing is left of it after `abort`. */
export interface Upload {
  /** Resolves when more can be taken (backpressure). The chunk is not kept. */
  write(chunk: Uint8Array): Promise<void>
  /**
   * Appends bytes that are stored already, which the store copies by itself where it can: they need not come here. Nothing
   * is written behind them. Absent of a store that can only read and write them.
   * @throws HtsvaultError OBJECT_CHANGED, OBJECT_GONE where they are not there any more
   */
  append?(bytes: StoredBytes): Promise<void>
  /** @throws HtsvaultError PRECONDITION_FAILED where the condition does not hold; the upload is then gone. */
  complete(condition?: PutCondition): Promise<WrittenObject>
  /** Idempotent; never throws. */
  abort(): Promise<void>
}

/** One part of an object that is written by parts. */
export interface ObjectPart {
  /** The first is 1. */
  readonly number: number
  /** Where it begins in the object, in bytes: how long the parts before it are together. */
  readonly offset: number
  readonly bytes: Uint8Array
  /** Their CRC-64/NVME, by whoever made them: what comes there is held against it where the store can do that. */
  readonly crc64nvme: bigint
}

/** An object that was made of parts. */
export interface JoinedObject extends ObjectInfo {
  /** The CRC-64/NVME of the parts as they were handed over, joined, base64; absent of a store that tells no sums of parts. */
  readonly crc64nvme?: string
}

/** A part whose bytes are those of an object of some store. */
export interface CopiedPart extends Pick<ObjectPart, 'number' | 'offset'> {
  /** What stands before them in the part, which then passes through here. */
  readonly lead?: Uint8Array
  readonly from: StoredBytes
}

/**
 * Objects that several processes write together, part by part, in any order; nobody sees one before `complete`. All
 * parts but the last have 5 MiB at least, and there are 10,000 at most.
 */
export interface PartUploads {
  /** Begins one. The name that it gives is all that another process needs. */
  begin(key: string): Promise<string>
  /**
   * Writes a part, whole or not at all; one of the same number is replaced.
   * @throws HtsvaultError UPLOAD_ENDED where the upload was completed or aborted
   */
  put(key: string, upload: string, part: ObjectPart): Promise<void>
  /**
   * Writes a part that is stored already, which the store copies by itself where it can: it need not come here.
   * @throws HtsvaultError UPLOAD_ENDED; OBJECT_CHANGED, OBJECT_GONE where the bytes are not there any more
   */
  copy(key: string, upload: string, part: CopiedPart): Promise<void>
  /**
   * Makes the object of the parts, which are to be `parts` in number and `size` bytes together.
   * @throws HtsvaultError PRECONDITION_FAILED, UPLOAD_ENDED; UPLOAD_INCOMPLETE where parts are missing
   */
  complete(
    key: string,
    upload: string,
    whole: { readonly parts: number; readonly size: number },
    condition?: PutCondition,
  ): Promise<JoinedObject>
  /**
   * The CRC-64/NVME of an object that was made so, base64, as the store knows it or by reading it; nothing where it tells
   * none.
   */
  sumOf(key: string, etag: string): Promise<string | undefined>
  /** Leaves nothing of what was not completed; does nothing where there is nothing. */
  abort(key: string, upload: string): Promise<void>
}

/** A GET that a stranger to the store may make: this URL with these headers. */
export interface PresignedGet {
  readonly url: string
  /** All of them are part of the signature. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * A bucket, or a folder in its place. Keys are `/`-separated, without a leading one.
 *
 * Absence is a value (`undefined`), an outage is thrown: HtsvaultError STORE_UNAVAILABLE (worth another try).
 * Reads with an etag answer HtsvaultError OBJECT_CHANGED where the object is no longer that one, OBJECT_GONE where
 * there is none.
 */
export interface ObjectStore {
  head(key: string): Promise<ObjectInfo | undefined>
  /** The whole of a small object. @throws HtsvaultError OBJECT_TOO_LARGE above `maxBytes`, before it is read. */
  get(key: string, maxBytes: number): Promise<{ bytes: Uint8Array; info: ObjectInfo } | undefined>
  /** Exactly the bytes `start` to `end` (excluded). */
  read(key: string, start: number, end: number, etag?: string): Promise<Uint8Array>
  /** The same range chunk by chunk; stops reading when the consumer stops. */
  stream(
    key: string,
    start: number,
    end: number,
    etag?: string,
    options?: StreamOptions,
  ): AsyncIterable<Uint8Array>
  /** Writes a small object, whole or not at all. @throws HtsvaultError PRECONDITION_FAILED */
  put(key: string, bytes: Uint8Array, condition?: PutCondition): Promise<ObjectInfo>
  /** Begins an upload. `expectedBytes`, where it is known, lets a store choose the size of its parts; it binds to nothing. */
  create(key: string, expectedBytes?: number): Promise<Upload>
  /** Writes of several processes together. */
  readonly parts: PartUploads
  /** Deletes the object if it is there, and with `ifMatch` only that one; says whether it is gone. */
  delete(key: string, ifMatch?: string): Promise<boolean>
  /** Every object whose key begins with `prefix`, in the order of UTF-8 bytes. */
  list(prefix: string): AsyncIterable<ObjectInfo>
  /**
   * A GET of exactly these bytes of the object with that etag, good for `seconds`; absent where the store has no such
   * URLs. It answers 206.
   */
  presign?(key: string, start: number, end: number, etag: string, seconds: number): Promise<PresignedGet>
}
