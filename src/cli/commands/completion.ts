import { Argument, Command } from 'commander';
import { bashScript } from '../completion/bash.js';
import { fishScript } from '../completion/fish.js';
import { completedCommands } from '../completion/tree.js';
import { zshScript } from '../completion/zsh.js';
import { addCommands } from '../registry.js';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;
type Shell = keyof typeof SCRIPTS;

export function define(command: Command): void {
  command
    .addArgument(new Argument('<shell>', 'whose script to print').choices(Object.keys(SCRIPTS)))
    .addHelpText(
      'after',
      `
The script knows the commands, their options and the options' values; it starts nothing and asks no server. Print it again after an
upgrade.

Examples:
  $ temporal-incode completion bash > ~/.local/share/bash-completion/completions/temporal-incode
  $ temporal-incode completion zsh > ~/.zfunc/_temporal-incode     # with fpath+=~/.zfunc before compinit
  $ temporal-incode completion fish > ~/.config/fish/completions/temporal-incode.fish`,
    )
    .action(completion);
}

async function completion(shell: Shell): Promise<void> {
  const program = new Command('temporal-incode');
  await addCommands(program, () => true);
  process.stdout.write(SCRIPTS[shell](completedCommands(program)));
}
