import { setTimeout as sleep } from 'node:timers/promises';
import { type RawServer, serveRaw } from '../support/incode.js';

/** How the server answers one request. */
export interface Script {
  /** Written one after the other. */
  pieces: Buffer[];
  /** Pause between two pieces, in milliseconds. */
  pauseMs: number;
  ending: 'stay' | 'end' | 'destroy';
}

/** Plays a script for each request, which it finds by the `case-N` in the request, and records which requests arrived. */
export async function serveScripts(scripts: readonly Script[]): Promise<RawServer & { arrived: Set<number> }> {
  const arrived = new Set<number>();
  const received = new Map<unknown, string>();
  const server = await serveRaw(async (socket, text) => {
    // Only the text after this connection's last request.
    const request = text.slice(received.get(socket)?.length ?? 0);
    const index = Number(/case-(\d+)/.exec(request)?.[1] ?? Number.NaN);
    const script = scripts[index];
    if (!script || !request.includes('\r\n\r\n')) return;
    received.set(socket, text);
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
