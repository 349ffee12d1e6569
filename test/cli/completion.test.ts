import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../support/cli.js';

const exec = promisify(execFile);
const isInstalled = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;

let directory: string;
const scripts: Record<string, string> = {};
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-completion-'));
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await run(['completion', shell]);
    expect(code).toBe(0);
    // zsh loads the script by this name.
    scripts[shell] = join(directory, shell === 'zsh' ? '_temporal-incode' : shell);
    await writeFile(scripts[shell], stdout);
  }
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** The exact proposals for the last word of a line. */
const LINES: [line: string, proposed: string[], not: string[]][] = [
  ['temporal-incode re', ['renew-token'], ['status']],
  ['temporal-incode status --in', ['--interview-id'], ['--by']],
  ['temporal-incode extend-deadline --b', ['--by'], []],
  ['temporal-incode list --stage ', ['needsToken', 'waiting', 'inReview'], ['approved', '--stage']],
  ['temporal-incode list --json --outcome app', ['approved'], ['needsToken']],
  ['temporal-incode complete --finish-when ', ['now', 'processed', 'asked'], ['report']],
  ['temporal-incode completion ', ['bash', 'zsh', 'fish'], []],
  ['temporal-incode status --interview-id ', [], ['--json', 'sessions.csv', 'status']],
  ['temporal-incode batch sess', ['sessions.csv'], ['--json']],
  ['temporal-incode complete --session-token-file sess', ['sessions.csv'], []],
];

async function expectProposals(proposals: (line: string) => Promise<string[]>): Promise<void> {
  await writeFile(join(directory, 'sessions.csv'), '');
  for (const [line, proposed, not] of LINES) {
    const words = await proposals(line);
    expect(words, line).toEqual(expect.arrayContaining(proposed));
    expect(
      words.filter((word) => not.includes(word)),
      line,
    ).toEqual([]);
  }
}

describe('the bash completion script', () => {
  /** Calls the function as bash does. bash proposes files if the function proposes nothing. */
  const proposals = async (line: string): Promise<string[]> => {
    const words = line.split(' ');
    const quoted = words.map((word) => `'${word}'`).join(' ');
    const script = `
      files=yes
      compopt() { files=; }
      source '${scripts.bash}'
      COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}
      _temporal_incode
      printf '%s\\n' "\${COMPREPLY[@]}"
      if [ -n "$files" ] && [ "\${#COMPREPLY[@]}" = 0 ]; then compgen -f -- '${words.at(-1)}'; fi`;
    const { stdout } = await exec('bash', ['--norc', '-c', script], { cwd: directory });
    return stdout.split('\n').filter(Boolean);
  };

  it('proposes commands, options, values and files', () => expectProposals(proposals));

  it('proposes values after =, which bash treats as a separate word', async () => {
    expect(await proposals('temporal-incode list --stage = need')).toEqual(['needsToken', 'needsImage']);
    expect(await proposals('temporal-incode list --stage =')).toContain('waiting');
  });

  it('binds itself to the program', async () => {
    const { stdout } = await exec('bash', ['--norc', '-c', `source '${scripts.bash}'; complete -p temporal-incode`]);
    expect(stdout).toContain('-F _temporal_incode');
  });
});

describe.runIf(isInstalled('fish'))('fish, where it is installed', () => {
  it('proposes commands, options, values and files', () =>
    expectProposals(async (line) => {
      const script = `source '${scripts.fish}'; complete -C '${line}'`;
      const { stdout } = await exec('fish', ['--no-config', '-c', script], { cwd: directory });
      return stdout.split('\n').map((proposal) => proposal.split('\t')[0] ?? '');
    }));
});

describe.runIf(isInstalled('zsh'))('zsh, where it is installed', () => {
  /** Stubs of zsh's functions, which need a terminal. They print their arguments. */
  const given = async (state: string, ...words: string[]): Promise<string> => {
    const script = `
      compdef() { print bound "$@" }
      _describe() { print -rl -- \${(P)2} }
      _arguments() { if [[ $1 == -C ]] { state=$STATE } else { print -rl -- "$@" } }
      source '${scripts.zsh}'
      words=("$@")
      _temporal_incode`;
    const env = { ...process.env, STATE: state };
    return (await exec('zsh', ['-f', '-c', script, 'zsh', ...words], { env })).stdout;
  };

  it('binds itself to the program and describes the commands', async () => {
    const stdout = await given('command');
    expect(stdout).toContain('bound _temporal_incode temporal-incode\n');
    expect(stdout).toContain('renew-token:Give a session a new token\n');
    expect(stdout).toContain("webhooks:Receive Incode's webhooks");
  });

  it('describes options, values and files of a command', async () => {
    const list = await given('rest', 'list');
    expect(list).toContain('--stage[only those in this stage]:value:(waiting finishing needsToken');
    expect(list).toContain('--json[print one JSON object per line]\n');
    const complete = await given('rest', 'complete');
    expect(complete).toMatch(/^--session-token-file\[.*\]:file:_files$/m);
    expect(await given('rest', 'batch')).toMatch(/^1:file:_files$/m);
    expect(await given('rest', 'completion')).toMatch(/^1:value:\(bash zsh fish\)$/m);
  });
});

describe('the command completion', () => {
  it('exits with 2 for an unknown shell and names the known ones', async () => {
    const { code, stderr } = await run(['completion', 'tcsh']);
    expect(code).toBe(2);
    expect(stderr).toContain('bash, zsh, fish');
  });

  it('completes every command in the help', async () => {
    const { stdout } = await run(['--help']);
    const commands = [...stdout.matchAll(/^ {2}([a-z][a-z-]*) /gm)].map(([, name]) => name);
    const bash = await run(['completion', 'bash']);
    expect(commands.filter((name) => name !== 'help' && !bash.stdout.includes(`    ${name}) `))).toEqual([]);
  });
});
