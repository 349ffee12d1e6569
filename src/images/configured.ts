import type { Dispatcher } from 'undici';
import { omitUndefined } from '../contract/omit-undefined.js';
import type { Proxies } from '../network/dispatcher.js';
import { fileImages } from './files.js';
import { httpsImages } from './https.js';
import { s3Images } from './s3.js';
import type { ImageSource } from './source.js';

/** The part of the configuration that says where images may come from. */
export interface ImageSourceOptions {
  /** Directories for `file:` addresses. */
  imageRoots: readonly string[];
  /** Hosts for `https:` addresses, such as `images.example` or `images.example:8443`. */
  imageHosts: readonly string[];
  /** Buckets for `s3:` addresses. */
  imageBuckets: readonly string[];
  /** Names the bucket in the path instead of in the host, for stores such as MinIO. */
  imagePathStyle: boolean;
  /** Proxies for `https:` addresses. @default none */
  proxy?: Proxies;
}

/**
 * The built-in sources for files, HTTPS and S3. A source without an allowed directory, host or bucket refuses every image and says why.
 *
 * @example
 * const sources = imageSources({ imageRoots: ['/images'], imageHosts: [], imageBuckets: [], imagePathStyle: false });
 * const { type, width } = await inspectImage(sources, { uri: 'file:ann/front.jpg' });
 * @param dispatcher connections for HTTPS, instead of `proxy`
 */
export function imageSources(options: ImageSourceOptions, dispatcher?: Dispatcher): ImageSource[] {
  const { imageRoots, imageHosts, imageBuckets, imagePathStyle, proxy } = options;
  return [
    fileImages(imageRoots),
    httpsImages({ hosts: imageHosts, ...omitUndefined({ proxy, dispatcher }) }),
    s3Images({ buckets: imageBuckets, pathStyle: imagePathStyle }),
  ];
}
