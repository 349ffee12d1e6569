// Reads server-sent events with `fetch`, because the browser's own reader cannot send a token.

export interface ServerEvent {
  name: string;
  data: string;
}

/**
 * @param heard called whenever bytes arrive, even if they contain no event
 * @returns the events of an answer as they arrive, until it ends
 * @throws the error of the connection
 */
export async function* eventsOf(
  body: ReadableStream<Uint8Array>,
  heard: () => void = () => undefined,
): AsyncGenerator<ServerEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    heard();
    const blocks = (rest + decoder.decode(value, { stream: true })).split('\n\n');
    rest = blocks.pop() as string;
    for (const block of blocks) {
      const event = parsed(block);
      if (event) yield event;
    }
  }
}

/** @returns `undefined` for a comment, which only keeps the connection open */
function parsed(block: string): ServerEvent | undefined {
  const lines = block.split('\n');
  const field = (name: string) =>
    lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));
  const [name] = field('event');
  return name === undefined ? undefined : { name, data: field('data').join('\n') };
}
