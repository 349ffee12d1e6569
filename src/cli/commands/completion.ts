import { Argument, Command } from 'commander';
import { bashScript } from '../completion/bash.js';
import { fishScript } from '../completion/fish.js';
import { completedCommands } from '../completion/tree.js';
import { zshScript } from '../completion/zsh.js';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;
type Shell = keyof typeof SCRIPTS;

/** Adds every command with all options to a program. A parameter, because the registry imports this file. */
type AddCommands = (program: Command) => Promise<void>;

export function define(command: Command, addCommands: AddCommands): void {
  command
    .addArgument(new Argument('<shell>', 'whose script to print').choices(Object.keys(SCRIPTS)))
    .addHelpText(
      'after',
      `
The script completes commands, options and option values. It contacts no server. Print it again after an upgrade.

Examples:
  $ temporal-incode completion bash > ~/.local/share/bash-completion/completions/temporal-incode
  $ temporal-incode completion zsh > ~/.zfunc/_temporal-incode     # with fpath+=~/.zfunc before compinit
  $ temporal-incode completion fish > ~/.config/fish/completions/temporal-incode.fish`,
    )
    .action((shell: Shell) => completion(shell, addCommands));
}

async function completion(shell: Shell, addCommands: AddCommands): Promise<void> {
  const program = new Command('temporal-incode');
  await addCommands(program);
  process.stdout.write(SCRIPTS[shell](completedCommands(program)));
}
