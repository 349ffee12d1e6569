import { crc32, deflateSync } from 'node:zlib';

/** Incode requires 1,000 pixels on one side. */
const WIDTH = 1_280;
const HEIGHT = 800;

/** A gray PNG in base64, which shows no person. */
export function blankPicture(): string {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(WIDTH, 0);
  header.writeUInt32BE(HEIGHT, 4);
  // 8 bits per pixel. The zeros after it mean grayscale without interlacing.
  header.writeUInt8(8, 8);
  // Each line begins with its filter type, 0 for none.
  const line = Buffer.alloc(WIDTH + 1, 0x80).fill(0, 0, 1);
  const pixels = deflateSync(Buffer.concat(Array<Buffer>(HEIGHT).fill(line)));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const parts = [chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([signature, ...parts]).toString('base64');
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}
