import type { CompletedCommand, CompletedFlag, Place } from './completion-model.ts';
import { COMPLETED_PROGRAMS, SAVED_NAMES } from './completion-names.ts';

/** For bash from 3.2 on, which is that of macOS. */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const flags = new Map(commands.flatMap((command) => command.flags.map((flag) => [flag.name, flag])));
  return `# Completions of ${COMPLETED_PROGRAMS.join(' and ')} for bash: eval "$(instar completion bash)"

_instar_names() {
${SAVED_NAMES}
}

_instar_offer() {
  case $1 in
    names) COMPREPLY=($(compgen -W "$(_instar_names)" -- "$2")) ;;
    file | directory)
      local IFS=$'\\n' what=-f
      [ "$1" = directory ] && what=-d
      COMPREPLY=($(compgen "$what" -- "$2"))
      type compopt >/dev/null 2>&1 && compopt -o filenames 2>/dev/null
      ;;
    text) ;;
    *) COMPREPLY=($(compgen -W "$1" -- "$2")) ;;
  esac
}

_instar() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} at=$COMP_CWORD
  COMPREPLY=()
  # --flag=value comes in three words.
  if [ "$word" = "=" ]; then word=; elif [ "$before" = "=" ]; then before=\${COMP_WORDS[COMP_CWORD-2]}; fi
  if [ "$at" -eq 1 ]; then
    _instar_offer "${[...commands.map(({ name }) => name), 'help'].join(' ')}" "$word"
    return
  fi
  case $before in
${[...byValue([...flags.values()])].map(([value, names]) => `    ${names.map((name) => `--${name}`).join(' | ')})\n      _instar_offer "${value}" "$word"\n      return\n      ;;`).join('\n')}
  esac
  local flags= places=
  case \${COMP_WORDS[1]} in
${commands.map(branch).join('\n')}
    help) places="${commands.map(({ name }) => name).join(' ')}" ;;
  esac
  case $word in
    -*) _instar_offer "$flags" "$word" ;;
    *)
      # Words that are neither flags nor their values have taken the places before.
      local i=2 taken=0 skip= place
      while [ "$i" -lt "$at" ]; do
        case \${COMP_WORDS[i]} in
          =) skip=1 ;;
          ${[...flags.values()]
            .filter(({ value }) => value !== undefined)
            .map(({ name }) => `--${name}`)
            .join(' | ')}) skip=1 ;;
          -*) skip= ;;
          *) if [ -n "$skip" ]; then skip=; else taken=$((taken + 1)); fi ;;
        esac
        i=$((i + 1))
      done
      local IFS=/
      set -- $places
      shift "$taken" 2>/dev/null || return
      place=$1
      unset IFS
      [ -n "$place" ] && _instar_offer "$place" "$word"
      ;;
  esac
}

complete -F _instar ${COMPLETED_PROGRAMS.join(' ')}
`;
}

function branch({ name, flags, places }: CompletedCommand): string {
  const words = flags.flatMap((flag) => [`--${flag.name}`, ...(flag.short === undefined ? [] : [`-${flag.short}`])]);
  return `    ${name})\n      flags="${words.join(' ')}"\n      places="${places.map(wordOf).join('/')}"\n      ;;`;
}

/** The flags with a value, by what it can be. */
function byValue(flags: readonly CompletedFlag[]): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const { name, value } of flags) {
    if (value === undefined) continue;
    const word = wordOf(value);
    names.set(word, [...(names.get(word) ?? []), name]);
  }
  return names;
}

function wordOf(place: Place): string {
  return place.kind === 'words' ? place.words.join(' ') : place.kind;
}
