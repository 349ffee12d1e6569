import { png as pngOf } from '../../src/cli/local/png.js';

// Synthetic images without a person. The JPEG has valid headers only.

interface Size {
  width?: number;
  height?: number;
}

export function png({ width = 1_200, height = 800 }: Size = {}): Buffer {
  const rows = Buffer.alloc(Math.min(height, 2_000) * (1 + Math.ceil(Math.min(width, 2_000) / 8)));
  return pngOf({ width, height }, rows);
}

/**
 * @param metadata bytes of metadata before the size, with a thumbnail's end mark in it
 * @param content text in the picture's data, to be searched for
 */
export function jpeg({
  width = 1_200,
  height = 800,
  metadata = 0,
  content = '',
  bytes = 0,
}: Size & { metadata?: number; content?: string; bytes?: number } = {}): Buffer {
  const frame = Buffer.alloc(15);
  frame[0] = 8;
  frame.writeUInt16BE(height, 1);
  frame.writeUInt16BE(width, 3);
  frame.set([3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1], 5);
  const scan = segment(0xda, Buffer.from([3, 1, 0, 2, 0x11, 3, 0x11, 0, 0x3f, 0]));
  const parts = [
    Buffer.from([0xff, 0xd8]),
    segment(0xe0, Buffer.from('JFIF\0\x01\x01\0\0\x01\0\x01\0\0', 'latin1')),
    ...metadataSegments(metadata),
    segment(0xc0, frame),
    scan,
    Buffer.from(content),
  ];
  const end = Buffer.from([0xff, 0xd9]);
  const length = parts.reduce((sum, part) => sum + part.length, end.length);
  return Buffer.concat([...parts, Buffer.alloc(Math.max(0, bytes - length), 0x55), end]);
}

function metadataSegments(bytes: number): Buffer[] {
  if (bytes <= 0) return [];
  const length = Math.min(bytes, 65_000);
  const data = Buffer.alloc(length, 0x41);
  // The end mark of a thumbnail.
  data.set([0xff, 0xd9], length - 2);
  return [segment(0xe1, data), ...metadataSegments(bytes - length)];
}

function segment(marker: number, data: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
}
