import { describe, expect, it } from 'vitest';
import { eventsOf, type ServerEvent } from '../../src/console/stream.js';

async function read(...chunks: string[]): Promise<ServerEvent[]> {
  const bytes = chunks.map((chunk) => new TextEncoder().encode(chunk));
  const events: ServerEvent[] = [];
  for await (const event of eventsOf(new Blob(bytes).stream() as ReadableStream<Uint8Array>)) events.push(event);
  return events;
}

describe('eventsOf', () => {
  it('reports bytes that are only a comment, because they prove that the stream lives', async () => {
    let heard = 0;
    const body = new Blob([': keep-alive\n\n']).stream() as ReadableStream<Uint8Array>;
    for await (const _ of eventsOf(body, () => (heard += 1)));
    expect(heard).toBe(1);
  });

  it('reads events, and ignores comments and what is cut off at the end', async () => {
    const text = 'event: ready\ndata: {}\n\n: keep-alive\n\nevent: state\ndata: {"a": 1}\n\nevent: state\ndata: {"a"';
    expect(await read(text)).toEqual([
      { name: 'ready', data: '{}' },
      { name: 'state', data: '{"a": 1}' },
    ]);
  });

  it('reads events that arrive in any pieces', async () => {
    const bytes = new TextEncoder().encode('event: state\ndata: "Zoë"\n\n');
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
        controller.close();
      },
    });
    const events: ServerEvent[] = [];
    for await (const event of eventsOf(body)) events.push(event);
    expect(events).toEqual([{ name: 'state', data: '"Zoë"' }]);
  });
});
