/**
 * Opens images by the scheme of their address. The built-in sources read files, HTTPS and S3. Write another source for another store.
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
   * Opens an image without reading it.
   *
   * @param signal aborted when the image is no longer needed or its time limit is over
   * @throws ImageError if the image cannot be used. Any other error counts as `unavailable`, and its message is not shown
   */
  open(uri: string, signal: AbortSignal): Promise<OpenedImage>;
  /** Closes the connections that the source keeps open. */
  close?(): Promise<void>;
}

/** An open image. The package reads it at most once and always closes it. */
export interface OpenedImage {
  /** Its size, if the source knows it before reading. If the content has another size, the image counts as truncated. */
  bytes?: number;
  /** The image from its first byte. */
  read(): AsyncIterable<Uint8Array>;
  /** Reads only the last bytes. Omit it if the source cannot skip the rest. */
  readEnd?(length: number): Promise<Uint8Array>;
  /** Called once, possibly during a read, which it ends. Must not throw. */
  close(): Promise<void>;
}
