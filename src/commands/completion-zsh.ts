import type { CompletedCommand, CompletedFlag, Place } from './completion-model.ts';
import { COMPLETED_PROGRAMS, SAVED_NAMES } from './completion-names.ts';

/** For zsh: a file `_instar` on the fpath, or read by \`source\`. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  const summaries = commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary.replaceAll(':', '\\:')}`)}`);
  return `#compdef ${COMPLETED_PROGRAMS.join(' ')}
# Completions for zsh: source <(instar completion zsh), behind compinit

_instar_list_names() {
  emulate -L sh
${SAVED_NAMES}
}

_instar_names() {
  local -a names
  names=(\${(f)"$(_instar_list_names 2>/dev/null)"})
  compadd -a names
}

_instar() {
  local -a commands
  commands=(
${summaries.join('\n')}
    'help:Explain a command'
  )
  if ((CURRENT == 2)); then
    _describe -t commands command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${commands.map(branch).join('\n')}
    help) _arguments '1:command:(${commands.map(({ name }) => name).join(' ')})' ;;
  esac
}

if [[ $funcstack[1] == _instar ]]; then
  _instar "$@"
else
  compdef _instar ${COMPLETED_PROGRAMS.join(' ')}
fi
`;
}

function branch({ name, flags, places }: CompletedCommand): string {
  const words = [
    ...flags.flatMap(specifications),
    ...places.map((place, at) => quoted(`${at + 1}:${message(place)}:${action(place)}`)),
  ];
  return `    ${name})\n      _arguments -s ${words.map((word) => `\\\n        ${word}`).join(' ')}\n      ;;`;
}

/** As `_arguments` takes them. */
function specifications({ name, short, help, value, repeats }: CompletedFlag): string[] {
  const told = `[${help.replaceAll(/[[\]\\:]/g, '\\$&')}]`;
  const rest = value === undefined ? '' : `:${message(value)}:${action(value)}`;
  const many = repeats ? '*' : '';
  const long = quoted(`${many}--${name}${value === undefined ? '' : '='}${told}${rest}`);
  return short === undefined ? [long] : [long, quoted(`${many}-${short}${told}${rest}`)];
}

function message({ kind }: Place): string {
  return { words: 'choice', names: 'saved replication', file: 'file', directory: 'directory', text: 'value' }[kind];
}

function action(place: Place): string {
  switch (place.kind) {
    case 'words':
      return `(${place.words.join(' ')})`;
    case 'names':
      return '_instar_names';
    case 'file':
      return '_files';
    case 'directory':
      return '_files -/';
    case 'text':
      return ' ';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
