import type { CompletedCommand, CompletedOption, Value } from './tree.js';

export function fishScript(commands: CompletedCommand[]): string {
  return `# fish completion of temporal-incode, made by: temporal-incode completion fish
complete -c temporal-incode -f
complete -c temporal-incode -n __fish_use_subcommand -l help -d 'display help'
complete -c temporal-incode -n __fish_use_subcommand -l version -d 'display the version'
${commands.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ name, summary, options, argument }: CompletedCommand): string[] {
  const within = `complete -c temporal-incode -n '__fish_seen_subcommand_from ${name}'`;
  return [
    `complete -c temporal-incode -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
    ...(argument === 'nothing' ? [] : [`${within} ${argumentsOf(argument)}`]),
    ...options.map((option) => `${within} ${optionOf(option)}`),
  ];
}

function optionOf({ name, description, value }: CompletedOption): string {
  const takes = value === 'nothing' ? '' : ` -r ${argumentsOf(value)}`;
  return `-l ${name.slice(2)}${takes} -d ${quoted(description)}`;
}

function argumentsOf(value: Value): string {
  if (value === 'file') return '-F';
  if (value === 'directory') return "-a '(__fish_complete_directories)'";
  return Array.isArray(value) ? `-f -a '${value.join(' ')}'` : '-f';
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
