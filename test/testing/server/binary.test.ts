import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultCacheDir, findTemporalBinary } from '../../../src/testing/server/binary.js';
import { download } from '../../../src/testing/server/download.js';
import { serve, type TestServer } from '../../support/http.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-binary-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const at = (...parts: string[]) => join(directory, ...parts);
const cacheDir = () => at('cache');

async function script(path: string, body: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

const PROGRAM = '#!/bin/sh\necho temporal version 1.9.1\n';

/** A program that says that it is the Temporal CLI. */
const cli = (path: string, version: string) => script(path, body(version));
const body = (version: string) => `echo "temporal version ${version} (Server 1.0.0, UI 2.0.0)"`;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
/** Of the program that `cli` makes. */
const hashOf = (version: string) => sha256(`#!/bin/sh\n${body(version)}\n`);

const failing = (message: string) => async () => {
  throw new Error(message);
};

const unreachable = failing('temporal.download: no route');

/** Messages of the last search. */
let messages: string[] = [];

function find(
  env: Record<string, string> = {},
  fetch: Parameters<typeof findTemporalBinary>[1] = unreachable,
  pinned = hashOf('1.9.1'),
) {
  messages = [];
  const onProgress = (message: string) => void messages.push(message);
  return findTemporalBinary({ env, cacheDir: cacheDir(), onProgress }, fetch, pinned);
}

describe('findTemporalBinary', () => {
  const fetched = (version: string) => async (into: string) => cli(join(into, 'deep', 'program'), version);

  /** Prepares a program in every place. Each test removes the first places. */
  async function everything() {
    const named = await cli(at('named'), '1.9.4');
    await cli(at('cache', 'bin', 'temporal'), '1.9.5');
    await cli(at('path', 'temporal'), '1.9.6');
    const env = { TEMPORAL_CLI_PATH: named, PATH: at('path') };
    return { env, fetch: fetched('1.9.7') };
  }

  it('uses TEMPORAL_CLI_PATH first', async () => {
    const { env, fetch } = await everything();
    expect(await find(env, fetch)).toEqual({ path: at('named'), version: '1.9.4', source: 'TEMPORAL_CLI_PATH' });
  });

  it('uses the cache without TEMPORAL_CLI_PATH', async () => {
    const { env, fetch } = await everything();
    const found = await find({ PATH: env.PATH }, fetch, hashOf('1.9.5'));
    expect(found).toEqual({ path: at('cache', 'bin', 'temporal'), version: '1.9.5', source: 'cache' });
  });

  it('uses PATH if the cache is empty', async () => {
    const { env, fetch } = await everything();
    await rm(cacheDir(), { recursive: true });
    expect(await find({ PATH: env.PATH }, fetch)).toEqual({
      path: at('path', 'temporal'),
      version: '1.9.6',
      source: 'PATH',
    });
  });

  it('downloads the program without PATH and keeps it in the cache', async () => {
    const { fetch } = await everything();
    await rm(cacheDir(), { recursive: true });
    const path = at('cache', 'bin', 'temporal');
    expect(await find({}, fetch, hashOf('1.9.7'))).toEqual({ path, version: '1.9.7', source: 'download' });
    expect(await find({}, unreachable, hashOf('1.9.7'))).toEqual({ path, version: '1.9.7', source: 'cache' });
  });
});

it('rejects if TEMPORAL_CLI_PATH is not a Temporal CLI, even if PATH has one', async () => {
  const other = await script(at('other'), 'echo "other version 3.0.0"');
  await cli(at('path', 'temporal'), '1.9.6');
  await expect(find({ TEMPORAL_CLI_PATH: other, PATH: at('path') })).rejects.toThrow(
    `TEMPORAL_CLI_PATH: ${other} is not a Temporal CLI`,
  );
});

it.each([
  ['1.8.9', false],
  ['0.99.0', false],
  ['1.9.0', true],
  ['1.10.0', true],
  ['2.0.0', true],
])('uses version %s on PATH: %s', async (version, used) => {
  await cli(at('path', 'temporal'), version);
  const found = find({ PATH: at('path') });
  if (used) expect(await found).toMatchObject({ version, source: 'PATH' });
  else await expect(found).rejects.toThrow('No Temporal server');
});

it('finds a newer program later on PATH behind an old one', async () => {
  await cli(at('old', 'temporal'), '1.5.0');
  await cli(at('new', 'temporal'), '1.9.1');
  const found = await find({ PATH: [at('missing'), at('old'), at('new')].join(delimiter) });
  expect(found.path).toBe(at('new', 'temporal'));
});

describe('a program in the cache', () => {
  const cached = () => at('cache', 'bin', 'temporal');
  const fetch = (into: string) => cli(join(into, 'program'), '1.9.1');

  it('is replaced without being run if its hash is not the pinned one', async () => {
    await script(cached(), `touch ${at('has-run')}\n${body('1.9.1')}`);
    expect(await find({}, fetch)).toMatchObject({ version: '1.9.1', source: 'download' });
    expect(messages).toContain(`Ignoring ${cached()}: its hash is not the one that this package pins`);
    expect(await readdir(directory)).toEqual(['cache']);
  });

  it('is replaced if it was changed after it was checked', async () => {
    await find({}, fetch);
    expect(await find()).toMatchObject({ source: 'cache' });
    const { atime, mtime } = await stat(cached());
    await script(cached(), body('1.9.2'));
    // The size is the same, and so is the time of the last change that anybody can set.
    await utimes(cached(), atime, mtime);
    await expect(find()).rejects.toThrow('no program with the pinned hash');
    expect(await find({}, fetch)).toMatchObject({ source: 'download' });
  });

  it('is hashed once and again after a change', async () => {
    await find({}, fetch);
    await find();
    const record = JSON.parse(await readFile(`${cached()}.json`, 'utf8'));
    expect(record).toMatchObject({ size: (await stat(cached())).size, sha256: hashOf('1.9.1') });
    // A record that fits another program is believed, so nothing is hashed.
    await cli(cached(), '1.9.2');
    const { size, mtimeMs, ctimeMs } = await stat(cached());
    await writeFile(`${cached()}.json`, JSON.stringify({ ...record, size, mtimeMs, ctimeMs }));
    expect(await find()).toMatchObject({ version: '1.9.2', source: 'cache' });
  });

  it('is replaced if an older version of this package downloaded it', async () => {
    await cli(cached(), '1.8.0');
    expect(await find({}, fetch)).toMatchObject({ version: '1.9.1', source: 'download' });
  });
});

it('downloads nothing on a platform without a pinned hash', async () => {
  const options = { env: {}, cacheDir: cacheDir(), onProgress: () => undefined };
  await cli(at('cache', 'bin', 'temporal'), '1.9.1');
  const error = await findTemporalBinary(options, failing('downloaded'), null).catch(String);
  expect(error).toContain(`download: not tried, because this package knows no hash for ${process.platform}`);
  expect(error).toContain('set TEMPORAL_CLI_PATH to it');
  expect(error).not.toContain('downloaded');
});

it('names every way and why it failed if there is no server', async () => {
  const error = await find().catch(String);
  for (const way of ['TEMPORAL_ADDRESS', 'TEMPORAL_CLI_PATH', cacheDir(), 'PATH', 'https://docs.temporal.io/cli']) {
    expect(error).toContain(way);
  }
  expect(error).toContain('download: temporal.download: no route');
});

it('does not keep a downloaded program that does not run', async () => {
  const fetch = (into: string) => script(join(into, 'program'), 'exit 1');
  await expect(find({}, fetch, sha256('#!/bin/sh\nexit 1\n'))).rejects.toThrow('not a Temporal CLI for this machine');
  expect(await readdir(cacheDir(), { recursive: true })).toEqual(['bin']);
});

it('gives a complete program to two processes that download at the same time', async () => {
  let begun = 0;
  let bothBegan: () => void = () => undefined;
  const together = new Promise<void>((resolve) => {
    bothBegan = resolve;
  });
  const fetch = async (into: string) => {
    begun += 1;
    if (begun === 2) bothBegan();
    await together;
    return cli(join(into, 'program'), '1.9.1');
  };
  const found = await Promise.all([find({}, fetch), find({}, fetch)]);
  expect(found.map(({ source }) => source)).toEqual(['download', 'download']);
  expect(await readdir(cacheDir(), { recursive: true })).toEqual(['bin', join('bin', 'temporal')]);
});

describe('the download', () => {
  /** Temporal's site, with one archive. */
  async function site(): Promise<TestServer> {
    await mkdir(at('site'));
    await writeFile(at('site', 'temporal'), PROGRAM, { mode: 0o755 });
    execFileSync('tar', ['-czf', at('site', 'archive.tar.gz'), '-C', at('site'), 'temporal']);
    const archive = await readFile(at('site', 'archive.tar.gz'));
    return serve((_, response) => response.end(archive));
  }

  const from = (url: string, hash: string, env: Record<string, string> = {}) =>
    findTemporalBinary(
      { env, cacheDir: cacheDir(), onProgress: () => undefined },
      (into, options) => download(into, options, url),
      hash,
    );

  it('is kept if the program has the pinned hash', async () => {
    await using temporal = await site();
    const found = await from(temporal.url, sha256(PROGRAM));
    expect(found).toMatchObject({ version: '1.9.1', source: 'download' });
    const paths = temporal.requests.map(({ url }) => url);
    expect(paths).toEqual([expect.stringMatching(/^\/cli\/archive\/v1\.9\.1\?platform=\w+&arch=\w+$/)]);
    expect(await readdir(cacheDir(), { recursive: true })).toEqual(['bin', join('bin', 'temporal')]);
  });

  it('is neither run nor kept if the program has another hash', async () => {
    await using temporal = await site();
    await expect(from(temporal.url, '0'.repeat(64))).rejects.toThrow('is not the one that this package pins');
    expect(await readdir(cacheDir(), { recursive: true })).toEqual(['bin']);
  });

  it.each(['http_proxy', 'HTTP_PROXY'])('uses the proxy of %s', async (name) => {
    await using temporal = await site();
    await using proxy = await startProxy();
    await from('http://temporal.download.invalid', sha256(PROGRAM), { [name]: proxy.url }).catch(() => undefined);
    expect(proxy.hosts).toEqual(['temporal.download.invalid:80']);
    await from(temporal.url, sha256(PROGRAM), { [name]: proxy.url, NO_PROXY: '127.0.0.1' });
    expect(proxy.hosts).toHaveLength(1);
    expect(temporal.requests).toHaveLength(1);
  });

  it('uses the proxy of HTTPS_PROXY and names the host that cannot be reached', async () => {
    await using proxy = await startProxy();
    const site = 'https://temporal.download.invalid';
    await expect(from(site, sha256(PROGRAM), { HTTPS_PROXY: proxy.url })).rejects.toThrow('No Temporal server');
    expect(proxy.hosts).toEqual(['temporal.download.invalid:443']);
    await expect(from(site, sha256(PROGRAM))).rejects.toThrow('ENOTFOUND temporal.download.invalid');
  });
});

it('passes no secret of this process to a program', async () => {
  vi.stubEnv('INCODE_API_KEY', 'hidden-key');
  vi.stubEnv('TEMPORAL_API_KEY', 'hidden-key');
  try {
    await script(at('path', 'temporal'), `/usr/bin/env > ${at('log')}\necho temporal version 1.9.1`);
    await find({ PATH: at('path') });
  } finally {
    vi.unstubAllEnvs();
  }
  const passed = await readFile(at('log'), 'utf8');
  expect(passed).toContain('PATH=');
  expect(passed).not.toContain('hidden-key');
});

describe('defaultCacheDir', () => {
  it('returns .cache of the checkout in a checkout of this package', async () => {
    await mkdir(at('src'));
    expect(defaultCacheDir({}, directory)).toBe(at('.cache', 'temporal'));
  });

  it('is the cache of the user for an installed package, even in a directory that looks like a checkout', async () => {
    expect(defaultCacheDir({ XDG_CACHE_HOME: at('xdg') }, directory)).toBe(at('xdg', 'temporal-incode'));
    await writeFile(at('package.json'), JSON.stringify({ name: 'temporal-incode' }));
    await cli(at('.cache', 'temporal', 'bin', 'temporal'), '1.9.1');
    vi.spyOn(process, 'cwd').mockReturnValue(directory);
    expect(defaultCacheDir({})).not.toContain(directory);
    expect(defaultCacheDir({}, at('elsewhere'))).not.toContain(directory);
    vi.restoreAllMocks();
  });

  it('ignores a relative XDG_CACHE_HOME, which would name a directory below the current one', () => {
    for (const relative of ['.cache', './cache', '../cache']) {
      expect(defaultCacheDir({ XDG_CACHE_HOME: relative }, at('elsewhere'))).toBe(defaultCacheDir({}, at('elsewhere')));
    }
  });
});

/** A proxy that refuses every tunnel and records the requested hosts. */
async function startProxy(): Promise<TestServer & { hosts: string[] }> {
  const hosts: string[] = [];
  const proxy = await serve((_, response) => response.end());
  proxy.server.on('connect', ({ url = '' }, socket) => {
    hosts.push(url);
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  return { ...proxy, hosts };
}
