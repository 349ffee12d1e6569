import type { Dispatcher } from 'undici';
import { fileImages } from './files.js';
import { httpsImages } from './https.js';
import { s3Images } from './s3.js';
import type { ImageSource } from './source.js';

/** The part of the configuration that says where images may come from. */
export interface ImageSourceOptions {
  imageRoots: readonly string[];
  imageHosts: readonly string[];
  imageBuckets: readonly string[];
  imagePathStyle: boolean;
}

/**
 * The built-in sources. One without an allowed place refuses each of its images, and says why.
 *
 * @param dispatcher connections for HTTPS. @default connections without a proxy
 */
export function imageSources(options: ImageSourceOptions, dispatcher?: Dispatcher): ImageSource[] {
  const { imageRoots, imageHosts, imageBuckets, imagePathStyle } = options;
  return [
    fileImages(imageRoots),
    httpsImages({ hosts: imageHosts, ...(dispatcher ? { dispatcher } : {}) }),
    s3Images({ buckets: imageBuckets, pathStyle: imagePathStyle }),
  ];
}
