import type { Command } from 'commander';

/** The kind of value that an option or an argument takes. */
export type Value = 'nothing' | 'text' | 'file' | 'directory' | readonly string[];

export interface CompletedOption {
  /** Includes the dashes. */
  name: string;
  description: string;
  value: Value;
}

export interface CompletedCommand {
  name: string;
  summary: string;
  options: CompletedOption[];
  argument: Value;
}

export function completedCommands(program: Command): CompletedCommand[] {
  return program.commands.map((command) => {
    const [argument] = command.registeredArguments;
    return {
      name: command.name(),
      summary: command.description(),
      options: [
        ...command.options.map(({ long, description, flags, argChoices }) => ({
          name: long ?? '',
          description,
          value: argChoices ?? placeholder(flags),
        })),
        { name: '--help', description: 'display help for command', value: 'nothing' },
      ],
      argument: argument ? (argument.argChoices ?? placeholder(`<${argument.name()}>`)) : 'nothing',
    };
  });
}

/** Derives the kind of value from the name in angle brackets. */
function placeholder(flags: string): Exclude<Value, readonly string[]> {
  const [, name] = /<(.+)>/.exec(flags) ?? [];
  switch (name) {
    case undefined:
      return 'nothing';
    case 'file':
      return 'file';
    case 'dir':
      return 'directory';
    default:
      return 'text';
  }
}
