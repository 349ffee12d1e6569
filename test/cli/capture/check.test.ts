import { describe, expect, it } from 'vitest';
import type { Format } from '../../../src/cli/batch/list-rows.js';
import { checkManifest } from '../../../src/cli/capture/check.js';
import { shortestMs } from '../../../src/cli/capture/duration.js';
import type { CapturePerson } from '../../../src/contract/capture.js';
import { ImageError } from '../../../src/images/index.js';
import { listSource } from '../../support/list-source.js';

interface Checking {
  inspect?: (uri: string) => Promise<void>;
  format?: Format;
  signal?: AbortSignal;
}

async function check(content: string, { inspect, format = 'csv', signal }: Checking = {}) {
  const notices: string[] = [];
  const checked = await checkManifest(listSource(content, 'people.csv', 65_536), format, {
    async inspect({ uri }) {
      await inspect?.(uri);
      return { type: 'jpeg', width: 1_000, height: 1_000, bytes: 100 };
    },
    signal: signal ?? new AbortController().signal,
    printNotice: (line) => notices.push(line),
    onProgress: () => undefined,
  });
  const people: CapturePerson[] = [];
  if (checked.people < 100) for await (const person of checked.read()) people.push(person);
  return { ...checked, people, count: checked.people, notices };
}

describe('checkManifest', () => {
  it('reads people from CSV: paths, addresses, custom fields and empty cells', async () => {
    const { people, notices } = await check(
      'Reference;front;back;selfie;Configuration ID;country_code;customFields.First name;notes\n' +
        'ann;Ann M/front 1.jpg;;https://images.example/ann/s.jpg;6650;USA;Änn;x\n' +
        'bob;/images/bobF.png;s3://people/bobB.png;;;;;\n',
    );
    expect(people).toEqual([
      {
        reference: 'ann',
        front: { uri: 'file:Ann%20M/front%201.jpg' },
        selfie: { uri: 'https://images.example/ann/s.jpg' },
        configurationId: '6650',
        countryCode: 'USA',
        customFields: { 'First name': 'Änn' },
      },
      { reference: 'bob', front: { uri: 'file:///images/bobF.png' }, back: { uri: 's3://people/bobB.png' } },
    ]);
    expect(notices).toEqual(['Ignored: "notes"']);
  });

  it('reads people from NDJSON, with custom fields as an object or one by one', async () => {
    const rows = [
      { reference: 'ann', front: 'a.jpg', back: null, customFields: { name: 'Ann' }, 'customFields.city': 'Bonn' },
      { reference: 'bob', front: 'vault:5f3a', customFields: { name: 'Bob' } },
      { reference: 'eve', front: '\ud800.jpg' },
    ];
    const { people } = await check(rows.map((row) => JSON.stringify(row)).join('\n'), { format: 'ndjson' });
    expect(people).toEqual([
      { reference: 'ann', front: { uri: 'file:a.jpg' }, customFields: { name: 'Ann', city: 'Bonn' } },
      { reference: 'bob', front: { uri: 'vault:5f3a' }, customFields: { name: 'Bob' } },
      { reference: 'eve', front: { uri: 'file:%EF%BF%BD.jpg' } },
    ]);
  });

  it('reports every problem with its line, in the order of the lines, whatever takes longest', async () => {
    let first: (() => void) | undefined;
    const { notices, invalid, badImages, count, people } = await check(
      [
        'reference,front,back,selfie',
        'ann,a.jpg,gone.jpg,late.jpg',
        'bob smith,b.jpg,,',
        'cat,,,',
        'ann,c.jpg,,',
        'dan,https://user:secret@images.example/d.jpg?X-Amz-Signature=secret,,',
        'eve,e.jpg,e.jpg,',
        'fay,f.jpg,,',
        'gus,g.jpg',
      ].join('\n'),
      {
        async inspect(uri) {
          if (uri === 'file:late.jpg') await new Promise<void>((resolve) => (first = resolve));
          if (uri === 'file:f.jpg') first?.();
          if (uri === 'file:gone.jpg') throw new ImageError(uri, 'missing', 'does not exist');
        },
      },
    );
    expect(notices).toEqual([
      'Line 2: back file:gone.jpg does not exist',
      'Line 3: reference must be printable ASCII without spaces',
      'Line 4: front is empty: every person needs a front, as a path or an address',
      'Line 5: reference ann is the same as on line 2',
      'Line 6: front.uri must have no query or fragment, because Temporal would keep a credential in it',
      'Line 7: back is the same image as another one of this person',
      'Line 9: has 2 values, the header has 4 columns',
    ]);
    expect([invalid, badImages, count, people.map(({ reference }) => reference)]).toEqual([7, 1, 1, ['fay']]);
  });

  it('reports all problems of a line, in the order of the fields', async () => {
    const { notices, invalid, badImages, usable } = await check(
      [
        'reference,front,back,selfie,configurationId,countryCode,customFields.note',
        'ann,a.jpg,,,,,',
        'bob smith,gone.jpg,s3://people/b.jpg?v=1,s.jpg,a b,Germany,a\u0007b',
        'ann,,b.jpg,b.jpg,,12,',
      ].join('\n'),
      {
        async inspect(uri) {
          if (uri === 'file:gone.jpg') throw new ImageError(uri, 'missing', 'does not exist');
        },
      },
    );
    expect(notices).toEqual([
      'Line 3: reference must be printable ASCII without spaces',
      'Line 3: front file:gone.jpg does not exist',
      'Line 3: back.uri must have no query or fragment, because Temporal would keep a credential in it',
      'Line 3: configurationId must be printable ASCII without spaces',
      'Line 3: countryCode must have at most 3 characters',
      'Line 3: customFields.note must be a text without control characters',
      'Line 4: reference ann is the same as on line 2',
      'Line 4: front is empty: every person needs a front, as a path or an address',
      'Line 4: selfie is the same image as another one of this person',
      'Line 4: countryCode must be a country code of 2 or 3 letters',
    ]);
    expect({ invalid, badImages, usable }).toEqual({ invalid: 2, badImages: 0, usable: 4 });
  });

  it('reports the name of a custom field after the other fields, and a reference that is no text', async () => {
    const row = { customFields: { 'a\u0007': 'x' }, reference: 5, front: 'a.jpg', selfie: 7, countryCode: 'X' };
    const { notices } = await check(JSON.stringify(row), { format: 'ndjson' });
    expect(notices).toEqual([
      'Line 1: reference must be printable ASCII without spaces',
      'Line 1: selfie.uri must be an address such as "file:ann/front.jpg"',
      'Line 1: countryCode must be a country code of 2 or 3 letters',
      'Line 1: A name in customFields must be a non-empty text without control characters',
    ]);
  });

  it.each([
    ['./e.jpg', 'e.jpg'],
    ['ann//e.jpg', 'ann/e.jpg'],
    ['/images/ann/../e.jpg', '/images/e.jpg'],
    ['/images/./e f.jpg', '/images/e f.jpg'],
    ['file:%65.jpg', 'e.jpg'],
  ])('counts %s and %s as the same image', async (front, back) => {
    const { notices, invalid } = await check(`reference,front,back\neve,${front},${back}\n`);
    expect(notices).toEqual(['Line 2: back is the same image as another one of this person']);
    expect(invalid).toBe(1);
    const { shared } = await check(`reference,front\neve,${front}\nann,${back}\n`);
    expect(shared).toMatchObject({ count: 1, first: { line: 3, side: 'front', earlierLine: 2 } });
  });

  it.each([
    ['e.jpg', '/e.jpg'],
    ['e.jpg', 'E.jpg'],
    ['s3://people/./e.jpg', 's3://people/e.jpg'],
    ['file:e%zz.jpg', 'file:e.jpg'],
    ['file://other/e.jpg', 'file:///e.jpg'],
  ])('counts %s and %s as two images', async (front, back) => {
    expect((await check(`reference,front,back\neve,${front},${back}\n`)).invalid).toBe(0);
  });

  it('counts people, images, bytes, requests and shared images', async () => {
    const { count, withoutBack, withoutSelfie, images, bytes, requests, shared } = await check(
      'reference,front,back,selfie\nann,a.jpg,b.jpg,c.jpg\nbob,d.jpg,,a.jpg\ncat,a.jpg,,\n',
    );
    expect({ count, withoutBack, withoutSelfie, images, bytes, requests, shared }).toEqual({
      count: 3,
      withoutBack: 2,
      withoutSelfie: 1,
      images: 6,
      bytes: 600,
      requests: { documents: 7, faces: 4 },
      shared: { count: 2, first: { line: 3, side: 'selfie', uri: 'file:a.jpg', earlierLine: 2 } },
    });
  });

  it.each([
    [{ documentRateLimit: 1, faceRateLimit: 1, rateLimitPerEndpoint: false }, 7_000],
    [{ documentRateLimit: 10, faceRateLimit: 2, rateLimitPerEndpoint: false }, 2_000],
    [{ documentRateLimit: 1, faceRateLimit: 1, rateLimitPerEndpoint: true }, 3_000],
    [{ documentRateLimit: 10, faceRateLimit: 0.5, rateLimitPerEndpoint: true }, 4_000],
  ])('three people with 7 requests about documents and 4 about faces take at least, with %j, %s ms', (limits, ms) => {
    expect(shortestMs({ people: 3, requests: { documents: 7, faces: 4 } }, limits)).toBe(ms);
  });

  it('checks a bounded number of images at the same time, however long the manifest is', async () => {
    let [inFlight, most] = [0, 0];
    const rows = Array.from({ length: 1_000 }, (_, at) => `person-${at},f${at}.jpg,b${at}.jpg,s${at}.jpg`);
    const { count } = await check(`reference,front,back,selfie\n${rows.join('\n')}`, {
      async inspect() {
        inFlight += 1;
        most = Math.max(most, inFlight);
        await new Promise((resolve) => setImmediate(resolve));
        inFlight -= 1;
      },
    });
    expect(count).toBe(1_000);
    expect(most).toBeGreaterThan(3);
    expect(most).toBeLessThanOrEqual(24);
  });

  it('ends when it is interrupted, and when a source has a defect', async () => {
    const ending = new AbortController();
    const rows = Array.from({ length: 1_000 }, (_, at) => `person-${at},f${at}.jpg`).join('\n');
    const content = `reference,front\n${rows}`;
    const interrupted = check(content, {
      signal: ending.signal,
      inspect: async (uri) => uri === 'file:f50.jpg' && ending.abort(new Error('interrupted')),
    } as Checking);
    await expect(interrupted).rejects.toThrow('interrupted');
    const defect = check(content, {
      inspect: async (uri) => {
        if (uri === 'file:f50.jpg') throw new TypeError('defect');
      },
    });
    await expect(defect).rejects.toThrow('defect');
  });

  it('says that a manifest has no reference column', async () => {
    await expect(check('name,front\nann,a.jpg\n')).rejects.toThrow('has 2 columns, but no reference');
  });
});
