import { describe, expect, it } from 'vitest';
import { allowsImages, readCaptureConfig } from '../../src/config/capture.js';
import { unknownVariables } from '../../src/config/unknown-variables.js';

describe('readCaptureConfig', () => {
  it('allows no place and one request a second by default', () => {
    expect(readCaptureConfig({})).toEqual({
      imageRoots: [],
      imageHosts: [],
      imageBuckets: [],
      imagePathStyle: false,
      documentRateLimit: 1,
      faceRateLimit: 1,
      rateLimitPerEndpoint: false,
      processPollMs: 3_000,
      proxy: {},
    });
  });

  it('reads lists with spaces and empty parts, and numbers', () => {
    const env = {
      INCODE_IMAGE_ROOTS: '/images, /more images,',
      INCODE_IMAGE_HOSTS: 'images.example,[::1]:8443,127.0.0.1',
      INCODE_IMAGE_BUCKETS: 'people-eu',
      INCODE_IMAGE_S3_PATH_STYLE: 'true',
      INCODE_DOCUMENT_RATE_LIMIT: '2.5',
      INCODE_FACE_RATE_LIMIT: '4',
      INCODE_RATE_LIMIT_PER_ENDPOINT: 'true',
      INCODE_PROCESS_POLL: '5s',
      https_proxy: 'http://proxy.example:3128',
    };
    expect(readCaptureConfig(env)).toEqual({
      imageRoots: ['/images', '/more images'],
      imageHosts: ['images.example', '[::1]:8443', '127.0.0.1'],
      imageBuckets: ['people-eu'],
      imagePathStyle: true,
      documentRateLimit: 2.5,
      faceRateLimit: 4,
      rateLimitPerEndpoint: true,
      processPollMs: 5_000,
      proxy: { httpsProxy: 'http://proxy.example:3128' },
    });
    expect(unknownVariables(env)).toEqual([]);
  });

  it('names every invalid variable', () => {
    const invalid = {
      INCODE_IMAGE_ROOTS: 'images',
      INCODE_IMAGE_HOSTS: 'a.example,*.example',
      INCODE_IMAGE_BUCKETS: 's3://people',
      INCODE_DOCUMENT_RATE_LIMIT: '0',
      INCODE_FACE_RATE_LIMIT: 'fast',
      INCODE_PROCESS_POLL: '1 hour',
    };
    expect(() => readCaptureConfig(invalid)).toThrow(
      expect.objectContaining({
        problems: [
          'INCODE_IMAGE_ROOTS must be absolute paths such as /images, separated by commas, not "images"',
          'INCODE_IMAGE_HOSTS must be hosts such as images.example or images.example:8443, separated by commas, not "*.example"',
          'INCODE_IMAGE_BUCKETS must be names of buckets, separated by commas, not "s3://people"',
          'INCODE_DOCUMENT_RATE_LIMIT must be a number from 0.1 to 1000, not "0"',
          'INCODE_FACE_RATE_LIMIT must be a number from 0.1 to 1000, not "fast"',
          'INCODE_PROCESS_POLL must be at most 10m, not "1 hour"',
        ],
      }),
    );
    expect(() => readCaptureConfig({ INCODE_IMAGE_HOSTS: 'a.example:99999' })).toThrow('INCODE_IMAGE_HOSTS');
  });
});

it.each([
  [{}, false],
  [{ INCODE_DOCUMENT_RATE_LIMIT: '5' }, false],
  [{ INCODE_IMAGE_ROOTS: '/images' }, true],
  [{ INCODE_IMAGE_HOSTS: 'images.example' }, true],
  [{ INCODE_IMAGE_BUCKETS: 'people' }, true],
])('allowsImages is true if %j names a place: %s', (env, isAllowed) => {
  expect(allowsImages(readCaptureConfig(env))).toBe(isAllowed);
});
