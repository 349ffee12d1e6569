import type { CompletedCommand, CompletedOption, Value } from './tree.js';

/** Works as a file in `fpath` or when sourced after compinit. */
export function zshScript(commands: CompletedCommand[]): string {
  return `#compdef temporal-incode
# zsh completion of temporal-incode, made by: temporal-incode completion zsh
_temporal_incode() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  local -a commands=(
${commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`).join('\n')}
  )
  _arguments -C '(- *)--help[display help]' '(- *)--version[display the version]' '1: :->command' '*:: :->rest'
  case $state in
    command) _describe command commands ;;
    rest)
      case $words[1] in
${commands.map(commandCase).join('\n')}
      esac ;;
  esac
}
if [[ $funcstack[1] == _temporal-incode ]]; then _temporal_incode "$@"; else compdef _temporal_incode temporal-incode; fi
`;
}

function commandCase({ name, options, argument }: CompletedCommand): string {
  const specs = [...options.map(optionSpec), ...(argument === 'nothing' ? [] : [quoted(`1:${valueSpec(argument)}`)])];
  return `        ${name}) _arguments ${specs.join(' \\\n          ')} ;;`;
}

function optionSpec({ name, description, value }: CompletedOption): string {
  const text = description.replace(/[[\]\\:]/g, '\\$&');
  return quoted(`${name}[${text}]${value === 'nothing' ? '' : `:${valueSpec(value)}`}`);
}

function valueSpec(value: Value): string {
  if (value === 'file') return 'file:_files';
  if (value === 'directory') return 'directory:_files -/';
  return Array.isArray(value) ? `value:(${value.join(' ')})` : 'value: ';
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
