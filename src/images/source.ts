/**
 * Where images come from. The built-in sources read files, HTTPS and S3. Write another one for another store, and pass it to the worker.
 *
 * @example
 * const vault: ImageSource = {
 *   schemes: ['vault'],
 *   async open(uri, signal) {
 *     const object = await client.get(uri.slice('vault:'.length), { signal });
 *     return { bytes: object.size, read: () => object.stream(), close: async () => object.destroy() };
 *   },
 * };
 */
export interface ImageSource {
  /** The schemes of the URIs that this source opens, in lower case and without the colon. */
  readonly schemes: readonly string[];
  /**
   * Opens an image and reads nothing of it yet.
   *
   * @param signal aborted when the image is no longer needed or its time limit is over
   * @throws ImageError if the image cannot be used. Any other error counts as `unavailable`, and its message is not shown
   */
  open(uri: string, signal: AbortSignal): Promise<OpenedImage>;
  /** Ends the connections that the source keeps. */
  close?(): Promise<void>;
}

/** An image that is open. It is read at most once, and always closed. */
export interface OpenedImage {
  /** Its size, if the source knows it before it reads. An image of another size then counts as truncated. */
  bytes?: number;
  /** The image from its first byte. */
  read(): AsyncIterable<Uint8Array>;
  /** The last bytes alone, if the source can read them without the rest. */
  readEnd?(length: number): Promise<Uint8Array>;
  /** Called once. May end a reading. Never throws. */
  close(): Promise<void>;
}
