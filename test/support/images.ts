import { createHash } from 'node:crypto';

// Headers of images without a picture: enough for every check that reads only the header. They show nobody.

/** @param text makes images of the same size differ */
export function pngOf(width: number, height: number, text = ''): Buffer {
  const size = Buffer.alloc(8);
  size.writeUInt32BE(width, 0);
  size.writeUInt32BE(height, 4);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, Buffer.from([0, 0, 0, 13]), Buffer.from('IHDR'), size, Buffer.from(text)]);
}

export function jpegOf(width: number, height: number, text = ''): Buffer {
  const comment = Buffer.from(`comment ${text}`);
  const frame = Buffer.from([8, 0, 0, 0, 0, 1, 1, 0x11, 0]);
  frame.writeUInt16BE(height, 1);
  frame.writeUInt16BE(width, 3);
  return Buffer.concat([Buffer.from([0xff, 0xd8]), segment(0xfe, comment), segment(0xc0, frame)]);
}

function segment(marker: number, content: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([head, content]);
}

export function digestOf(image: Buffer): string {
  return createHash('sha256').update(image).digest('hex');
}
