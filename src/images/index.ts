// The public entry `temporal-incode/images`. Code of this package imports everything else from the file that defines it.
export type { ImageReference } from '../contract/capture.js';
export { type ImageSourceOptions, imageSources } from './configured.js';
export { ImageError, type ImageProblem, type ImageRetry } from './errors.js';
export { fileImages, fileUri } from './files.js';
export { type HttpsImagesOptions, httpsImages } from './https.js';
export type { ImageFacts } from './inspect.js';
export type { LimitOptions } from './open.js';
export { type ImageDescription, inspectImage, pinImage, readImage } from './read.js';
export { type S3ImagesOptions, s3Images } from './s3.js';
export type { ImageSource, OpenedImage } from './source.js';
