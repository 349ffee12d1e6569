import type { CompletedCommand, Value } from './tree.js';

/** Works with bash 3.2 and later, without the package bash-completion. Without proposals, bash proposes files. */
export function bashScript(commands: CompletedCommand[]): string {
  const names = commands.map(({ name }) => name);
  return `# bash completion of temporal-incode, made by: temporal-incode completion bash
_temporal_incode() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command= words= i
  COMPREPLY=()
  # bash takes --name=value for three words.
  if [[ $cur == = ]]; then cur=
  elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ \${COMP_WORDS[i]} != -* ]]; then command=\${COMP_WORDS[i]}; break; fi
  done
  case "$command $prev" in
${commands.flatMap(valueCases).join('\n')}
  esac
  case $command in
    '') words='${[...names, '--help', '--version'].join(' ')}' ;;
${commands.map(commandCase).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  compopt +o default +o bashdefault 2> /dev/null
}
complete -o bashdefault -o default -F _temporal_incode temporal-incode
`;
}

/** Proposes values after options that take one. */
function valueCases({ name, options }: CompletedCommand): string[] {
  return options
    .filter(({ value }) => value !== 'nothing')
    .map((option) => `    '${name} ${option.name}') ${proposal(option.value)}; return ;;`);
}

function proposal(value: Value): string {
  if (value === 'file' || value === 'directory') return ':';
  if (value === 'text') return NO_FILES;
  return `COMPREPLY=($(compgen -W '${(value as readonly string[]).join(' ')}' -- "$cur")); ${NO_FILES}`;
}

/** Has no effect in bash 3.2, which lacks compopt and proposes files. */
const NO_FILES = 'compopt +o default +o bashdefault 2> /dev/null';

function commandCase({ name, options, argument }: CompletedCommand): string {
  const words = options.map((option) => option.name).join(' ');
  if (argument === 'file') return `    ${name}) [[ $cur == -* ]] || return; words='${words}' ;;`;
  const values = Array.isArray(argument) ? `${argument.join(' ')} ` : '';
  return `    ${name}) words='${values}${words}' ;;`;
}
