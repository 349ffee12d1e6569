import { type Options, stringify } from 'csv-stringify/sync';
import { describe, expect, it } from 'vitest';
import { CliError } from '../../../src/cli/shared/exit.js';
import { listSource, readList } from '../../support/list-source.js';
import { cases, fc, printable } from '../../support/property.js';

/** Text with many quotes and delimiters. */
const value = fc.oneof(
  printable(24),
  fc.string({ unit: fc.constantFrom('"', ',', ';', "'", '\\', '=', '#', 'a'), minLength: 1 }),
);
const session = fc.record(
  { interviewId: value, sessionToken: value, flowId: value },
  { requiredKeys: ['interviewId'] },
);
const sessions = fc.array(session, { maxLength: 20 });
const pieceLength = fc.integer({ min: 1, max: 64 });

/** Values of ignored columns: any text, including line breaks. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: fc.constantFrom('"', ',', ';', '\t', '\n', '\r\n', 'é', '\u2028', '😀', 'a') }),
);

const SPELLINGS: Record<string, string[]> = {
  interviewId: ['interviewId', 'interview_id', 'Interview ID', 'INTERVIEW-ID', 'interviewid'],
  sessionToken: ['sessionToken', 'session_token', 'Session Token'],
  flowId: ['flowId', 'flow_id', 'FlowID'],
};

const dialect = fc.record({
  delimiter: fc.constantFrom(',', ';', '\t'),
  record_delimiter: fc.constantFrom('\n', '\r\n', '\r'),
  quoted: fc.boolean(),
  // By default the library does not quote foreign line breaks.
  quoted_match: fc.constant(/[\r\n]/),
  bom: fc.boolean(),
  eof: fc.boolean(),
});

const header = fc.tuple(
  ...Object.values(SPELLINGS).map((names) => fc.constantFrom(...names)),
  // For example a column of names.
  fc.oneof(fc.constantFrom('name', 'e-mail; or fax', 'a,b,c,d', 'two\nlines', 'a "quoted" one'), text),
);

describe('readRows of CSV', () => {
  it('reads CSV from a library, with the first line of each row', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(session, text), { maxLength: 20 }),
        header.filter((names) => isOther(names[3] ?? '')),
        fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
        dialect,
        pieceLength,
        async (list, names, order, dialect, pieceLength) => {
          const records = [names, ...list.map(([s, more]) => [s.interviewId, s.sessionToken, s.flowId, more])];
          const table = records.map((record) => order.map((at) => record[at] ?? ''));
          const { rows, ignored } = await readList(listSource(stringify(table, dialect), 'list', pieceLength), 'csv');
          expect(rows.map(({ session, problem }) => session ?? problem)).toEqual(list.map(([session]) => session));
          expect(ignored).toHaveLength(1);
          const lines = linesOf(table, dialect);
          expect(rows.map(({ line }) => line)).toEqual(lines.slice(1));
        },
      ),
      cases(),
    );
  });

  it("reads any text as CSV or refuses it without the parser's message", async () => {
    const near = fc
      .array(fc.oneof(text, value, fc.constantFrom('interviewId,sessionToken\n', '\n', '"', ',')))
      .map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          near,
          near.map((rest) => `interviewId,sessionToken\n${rest}`),
        ),
        pieceLength,
        async (content, size) => {
          const { rows } = await readList(listSource(content, 'list', size), 'csv').catch((error) => {
            expect(error).toBeInstanceOf(CliError);
            return { rows: [] };
          });
          const count = content.split(/\r\n?|\n/).length;
          for (const { line, session, problem } of rows) {
            expect(line > 1 && line <= count).toBe(true);
            expect(session === undefined).toBe(problem !== undefined);
          }
        },
      ),
      cases(),
    );
  });

  it('reports the line of each invalid CSV row and reads the others', async () => {
    const wrong = fc.constantFrom(
      ['', 't', ''],
      ['a b', 't', ''],
      ['a', 't t', ''],
      ['a', 't'],
      ['a', 't', 'f', 'x'],
      ['é', '', ''],
    );
    const right = session.map(({ interviewId, sessionToken = '', flowId = '' }) => [interviewId, sessionToken, flowId]);
    const rows = fc.array(
      fc.oneof(
        right.map((row) => ({ row, good: true })),
        wrong.map((row) => ({ row, good: false })),
      ),
    );
    await fc.assert(
      fc.asyncProperty(rows, fc.array(fc.nat({ max: 3 })), pieceLength, async (list, gaps, size) => {
        let content = 'interviewId,sessionToken,flowId\n';
        const expected: [number, boolean][] = [];
        for (const [at, { row, good }] of list.entries()) {
          content += '\n'.repeat(gaps[at] ?? 0);
          expected.push([content.split('\n').length, good]);
          content += stringify([row]);
        }
        const { rows } = await readList(listSource(content, 'list', size), 'csv');
        expect(rows.map(({ line, session }) => [line, session !== undefined])).toEqual(expected);
      }),
      cases(),
    );
  });
});

describe('readRows of NDJSON', () => {
  it('reads NDJSON, with the line of each row', async () => {
    const more = fc.dictionary(fc.string().filter(isOther), fc.oneof(fc.jsonValue(), text), { maxKeys: 3 });
    const gap = fc.constantFrom('', '', '\n', '\r\n', ' \t\n');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(session, more, gap), { maxLength: 20 }),
        fc.constantFrom('', '\uFEFF'),
        pieceLength,
        async (list, bom, size) => {
          let content = bom;
          const lines: number[] = [];
          for (const [session, more, gap] of list) {
            content += gap;
            lines.push(content.split('\n').length);
            content += `${JSON.stringify({ ...more, ...session })}\n`;
          }
          const { rows } = await readList(listSource(content, 'list', size), 'ndjson');
          expect(rows).toEqual(list.map(([session], at) => ({ line: lines[at], session })));
        },
      ),
      cases(),
    );
  });

  it('reads any text as NDJSON or reports problems by line', async () => {
    const line = fc.oneof(
      fc.json(),
      text,
      value,
      session.map((session) => JSON.stringify(session)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line), pieceLength, async (content, size) => {
        const whole = content.join('\n');
        const { rows } = await readList(listSource(whole, 'list', size), 'ndjson');
        const lines = whole.split('\n').map((part, at) => [part.replace(/^\uFEFF/, '').trim(), at + 1] as const);
        expect(rows.map(({ line }) => line)).toEqual(lines.filter(([part]) => part !== '').map(([, line]) => line));
      }),
      cases(),
    );
  });
});

it('CSV and NDJSON of the same sessions give the same list', async () => {
  await fc.assert(
    fc.asyncProperty(sessions, async (list) => {
      const columns = ['interviewId', 'sessionToken', 'flowId'];
      const csv = await readList(listSource(stringify(list, { header: true, columns })), 'csv');
      const ndjson = await readList(
        listSource(list.map((session) => `${JSON.stringify(session)}\n`).join('')),
        'ndjson',
      );
      expect(csv.rows.map(({ session }) => session)).toEqual(ndjson.rows.map(({ session }) => session));
    }),
    cases(),
  );
});

/** Whether a column with this name is ignored. */
function isOther(name: string): boolean {
  return !Object.keys(SPELLINGS).some((known) => known.toLowerCase() === name.toLowerCase().replace(/[\s_-]/g, ''));
}

/** The first line of each record. */
function linesOf(table: string[][], dialect: Options): number[] {
  let line = 1;
  return table.map((record) => {
    const begins = line;
    line += stringify([record], { ...dialect, eof: true }).split(/\r\n|\r|\n/).length - 1;
    return begins;
  });
}
