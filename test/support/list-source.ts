import { Readable } from 'node:stream';
import type { Format } from '../../src/cli/batch/list-rows.js';
import { type Row, readRows } from '../../src/cli/batch/rows.js';
import type { Source } from '../../src/cli/batch/source.js';

/** A list in memory, read in pieces that split rows. */
export function listSource(content: string | Buffer, name = 'list', pieceLength = 7): Source {
  const bytes = Buffer.from(content as string);
  const pieces = Array.from({ length: Math.ceil(bytes.length / pieceLength) }, (_, at) =>
    bytes.subarray(at * pieceLength, (at + 1) * pieceLength),
  );
  return {
    name,
    read: () => Readable.from(pieces),
    peek: async () => bytes.toString().replace(/^\uFEFF/, ''),
    checkUnchanged: async () => undefined,
    close: async () => undefined,
  };
}

export async function readList(source: Source, format: Format): Promise<{ rows: Row[]; ignored: string[] }> {
  const ignored: string[] = [];
  const rows: Row[] = [];
  for await (const row of readRows(source, format, (names) => ignored.push(...names))) rows.push(row);
  return { rows, ignored };
}
