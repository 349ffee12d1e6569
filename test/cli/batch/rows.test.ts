import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type Format, formatOf } from '../../../src/cli/batch/list-rows.js';
import type { Row } from '../../../src/cli/batch/rows.js';
import { readList, listSource as source } from '../../support/list-source.js';
import { thrown } from '../../support/thrown.js';

const read = (content: string | Buffer, format: Format = 'csv') => readList(source(content), format);

const AB = [{ interviewId: 'a', sessionToken: 't' }, { interviewId: 'b' }];
const sessions = ({ rows }: { rows: Row[] }) => rows.map(({ session }) => session);

describe('readRows of CSV', () => {
  it.each([
    ['as it is written down', 'interviewId,sessionToken\na,t\nb,\n'],
    ['without an end of line at its end', 'interviewId,sessionToken\na,t\nb,'],
    ['with columns in another order', 'sessionToken,interviewId\nt,a\n,b\n'],
    ['with names in snake case', 'interview_id,session_token\na,t\nb,\n'],
    ['with names for people', 'Interview ID,SESSION TOKEN\na,t\nb,\n'],
    ['with CRLF and a BOM', '\uFEFFinterviewId,sessionToken\r\na,t\r\nb,\r\n'],
    ['with quotes', '"interviewId","sessionToken"\n"a","t"\n"b",""\n'],
    ['with a BOM and quotes', '\uFEFF"interviewId","sessionToken"\n"a","t"\nb,\n'],
    ['with semicolons', 'interviewId;sessionToken\na;t\nb;\n'],
    ['with tabs', 'interviewId\tsessionToken\na\tt\nb\t\n'],
    ['with spaces around values', 'interviewId , sessionToken\n a , t \nb, \n'],
    ['with empty lines', 'interviewId,sessionToken\n\na,t\n\n\nb,\n\n'],
    ['with old line ends', 'interviewId,sessionToken\ra,t\rb,\r'],
    ['with line ends of several systems', 'interviewId,sessionToken\na,t\r\nb,\r'],
    ['with delimiters in a name that is not read', 'interviewId;sessionToken;"a,b,c,d"\na;t;\nb;;\n'],
    ['with a line break in a name that is not read', '"my\nnotes";interviewId;sessionToken\n;a;t\n;b;\n'],
  ])('reads %s', async (_, content) => {
    expect(sessions(await read(content))).toEqual(AB);
  });

  it('ignores unknown columns and names them', async () => {
    const { rows, ignored } = await read('name,interviewId,e-mail\n"Ann, B",a,x@y.z\n');
    expect(rows).toEqual([{ line: 2, session: { interviewId: 'a' } }]);
    expect(ignored).toEqual(['name', 'e-mail']);
  });

  it('reports every invalid row with its line and problem', async () => {
    const { rows } = await read('interviewId,sessionToken,flowId\n,t,\nb,"t 1",\nc,t\n\nd,t,f,x\ng,"t""",f\n');
    expect(rows.map(({ line, session, problem }) => [line, session?.interviewId ?? problem])).toEqual([
      [2, 'interviewId must be a non-empty string'],
      [3, 'sessionToken must be printable ASCII without spaces or line breaks'],
      [4, 'has 2 values, the header has 3 columns'],
      [6, 'has 4 values, the header has 3 columns'],
      [7, 'g'],
    ]);
  });

  it.each(['\n', '\r\n'])('counts lines correctly when values contain line breaks: %j', async (end) => {
    const content = ['note,interviewId', '"one', 'two",a', '"one', 'two",a b', 'x,b', ''].join(end);
    expect((await read(content)).rows.map(({ line }) => line)).toEqual([2, 4, 6]);
    expect((await thrown(read(`${content}x,"c"d`))).message).toContain('Line 7:');
  });

  it.each([
    ['in a value', 'interviewId,flowId\na,f\nb,f"g\nc,f\n', 'Line 3: has a quote in the middle'],
    ['after a quoted value', 'interviewId,flowId\na,f\nb,"f"g\nc,f\n', 'Line 3: has a quote in the middle'],
    ['that is not closed', 'interviewId,flowId\na,f\nb,"f', 'Line 3: has a quote that is not closed'],
    ['before more of the value', 'interviewId,flowId\na,f\nb,"f" g\n', 'Line 3: cannot be read as CSV (CSV_'],
    ['that swallows the file', `interviewId\na\n"b\n${'c\n'.repeat(40_000)}`, 'is a quote not closed?'],
  ])('stops at a misplaced quote %s, because row ends are unknown', async (_, content, why) => {
    expect((await thrown(read(content))).message).toContain(why);
  });

  it('reports a read error as such, not as an invalid list', async () => {
    const broken = new Error('EIO: i/o error, read');
    const read = () =>
      Readable.from(
        (async function* () {
          yield 'interviewId\na\n';
          throw broken;
        })(),
      );
    expect(await thrown(readList({ ...source('interviewId\n'), read }, 'csv'))).toBe(broken);
  });

  it.each([
    ['', 'is empty'],
    ['\n\n', 'is empty'],
    ['id,token\na,t\n', 'the header (first line) has 2 columns, but no interviewId'],
    ['5f3a0c\n', 'has 1 column, but no interviewId'],
    ['interviewId,interview_id\na,b\n', 'two columns for interviewId'],
  ])('refuses the whole list %j', async (content, why) => {
    expect((await thrown(read(content))).message).toContain(why);
  });
});

describe('readRows of NDJSON', () => {
  it.each([
    ['as it is written down', '{"interviewId":"a","sessionToken":"t"}\n{"interviewId":"b"}\n'],
    [
      'with snake case, null and no end of line',
      '{"session_token":"t","interview_id":"a"}\n{"interviewId":"b","flowId":null}',
    ],
    [
      'with a line separator of Unicode in a text',
      '{"interviewId":"a","sessionToken":"t","note":"\u2028"}\n{"interviewId":"b"}\n',
    ],
    ['with CRLF, a BOM and empty lines', '\uFEFF{"interviewId":"a","sessionToken":"t"}\r\n\r\n{"interviewId":"b"}\r\n'],
  ])('reads %s', async (_, content) => {
    expect(sessions(await read(content, 'ndjson'))).toEqual(AB);
  });

  it('ignores unknown fields and names each once', async () => {
    const { rows, ignored } = await read('{"interviewId":"a","name":"x"}\n{"interviewId":"b","name":"y"}', 'ndjson');
    expect(sessions({ rows })).toEqual([{ interviewId: 'a' }, { interviewId: 'b' }]);
    expect(ignored).toEqual(['name']);
  });

  it('reports every invalid row with its line and problem', async () => {
    const content = '{"interviewId":"a"\n\n[]\n{"interviewId":5}\n{"interviewId":"d","interview_id":"e"}\nnull\n"x"';
    const { rows } = await read(content, 'ndjson');
    expect(rows.map(({ line, problem }) => [line, problem])).toEqual([
      [1, 'is not JSON'],
      [3, 'is not a JSON object'],
      [4, 'interviewId must be a non-empty string'],
      [5, 'has interviewId twice'],
      [6, 'is not a JSON object'],
      [7, 'is not a JSON object'],
    ]);
  });
});

describe('problems of rows', () => {
  const token = 'a-token-that-must-not-be-seen';

  it.each<[Format, string]>([
    ['csv', `interviewId,sessionToken\na,"${token}"x`],
    ['csv', `interviewId,sessionToken\na,${token}"`],
    ['csv', `interviewId,sessionToken\na,"${token} x"`],
    ['csv', `interviewId,sessionToken\na,${token},${token}`],
    ['csv', `interviewId,sessionToken\na,"${token}`],
    ['ndjson', `{"interviewId":"a","sessionToken":"${token} "}`],
    ['ndjson', `{"sessionToken":"${token}"`],
    ['ndjson', `"${token}"`],
  ])('a problem in %s does not show the token: %s', async (format, content) => {
    const problem = await read(content, format).then(
      ({ rows }) => rows[0]?.problem,
      (error: Error) => error.message,
    );
    expect(problem).toBeTruthy();
    expect(problem).not.toContain(token);
  });
});

describe('formatOf', () => {
  it.each<[string, string, Format]>([
    ['a.csv', '{', 'csv'],
    ['a.ndjson', 'interviewId', 'ndjson'],
    ['a.JSONL', 'interviewId', 'ndjson'],
    ['stdin', '\uFEFF {"interviewId"', 'ndjson'],
    ['stdin', 'interviewId', 'csv'],
    ['a.txt', '', 'csv'],
  ])('the format of %s that begins with %j is %s', async (name, content, format) => {
    expect(await formatOf(source(content, name))).toBe(format);
  });
});
