import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { json, printable, printableLines, printFacts } from '../../../src/cli/shared/output.js';

/** Clears the screen, starts a C1 sequence and reverses the text after it. */
const HOSTILE = '\u001b[2J\u009b31m\u202e\u2066\u0007';
const isSteering = (shown: string) => /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(shown.replaceAll('\n', ''));

describe('printed text', () => {
  it('replaces each control character with a question mark', () => {
    expect(printable(`a${HOSTILE}\nb`)).toBe('a?[2J?31m????b');
  });

  it('keeps line breaks and tabs in text with several lines', () => {
    expect(printableLines(`a\n\tb${HOSTILE}\r\nc`)).toBe('a\n\tb?[2J?31m????\nc');
  });

  it.each([undefined, 2])('escapes control characters in JSON without changing its value (indent %s)', (indent) => {
    const value = { [`name${HOSTILE}`]: [`value${HOSTILE}\n`] };
    const shown = json(value, indent);
    expect(isSteering(shown)).toBe(false);
    expect(JSON.parse(shown)).toEqual(value);
  });

  it('replaces control characters in names and values of facts', async () => {
    const stream = new PassThrough();
    printFacts({ [`name${HOSTILE}`]: `value${HOSTILE}` }, stream);
    stream.end();
    expect(isSteering(await text(stream))).toBe(false);
  });
});
