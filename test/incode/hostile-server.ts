import { setTimeout as sleep } from 'node:timers/promises';
import { type RawServer, serveRaw } from './support.js';

/** What the server does with one request. */
export interface Script {
  /** Written one after the other. */
  pieces: Buffer[];
  /** Between two pieces, in milliseconds. */
  pauseMs: number;
  ending: 'stay' | 'end' | 'destroy';
}

/** Plays the script of each request, known by the `case-N` that stands somewhere in it, and notes which arrived. */
export async function serveScripts(scripts: readonly Script[]): Promise<RawServer & { arrived: Set<number> }> {
  const arrived = new Set<number>();
  const heard = new Map<unknown, string>();
  const server = await serveRaw(async (socket, text) => {
    // Only what came after the last request of this connection.
    const request = text.slice(heard.get(socket)?.length ?? 0);
    const index = Number(/case-(\d+)/.exec(request)?.[1] ?? Number.NaN);
    const script = scripts[index];
    if (!script || !request.includes('\r\n\r\n')) return;
    heard.set(socket, text);
    arrived.add(index);
    for (const [at, piece] of script.pieces.entries()) {
      if (at > 0 && script.pauseMs > 0) await sleep(script.pauseMs);
      if (socket.destroyed) return;
      socket.write(piece);
    }
    if (script.ending === 'end') socket.end();
    if (script.ending === 'destroy') socket.resetAndDestroy();
  });
  return { ...server, arrived, [Symbol.asyncDispose]: server[Symbol.asyncDispose] };
}
