import type { CompletedCommand, CompletedFlag, Place } from './completion-model.ts';
import { COMPLETED_PROGRAMS } from './completion-names.ts';

/** For fish from 3 on. The names of the saved replications are read from the folder of src/sessions/folder.ts. */
export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const flags = new Map(commands.flatMap((command) => command.flags.map((flag) => [flag.name, flag])));
  const [program, ...others] = COMPLETED_PROGRAMS;
  const names = commands.map(({ name }) => name);
  return `# Completions for fish: instar completion fish | source

function __instar_names
    set -l folder $INSTAR_HOME
    if test -z "$folder"
        set -l settings $XDG_CONFIG_HOME
        if test -z "$settings"
            set settings $HOME/.config
            test (uname) = Darwin; and set settings $HOME/Library/Preferences
        end
        set folder $settings/instar
    end
    for file in $folder/replications/*.json
        string replace -r '^.*/(.*)\\.json$' '$1' -- $file
    end
end

# Whether the command is one of those given.
function __instar_on
    set -l words (commandline -opc)
    test (count $words) -ge 2; and contains -- $words[2] $argv
end

# Whether the command is the first of those given, and as many words stand behind it as the second says.
function __instar_at
    set -l words (commandline -opc)
    __instar_on $argv[1]; and test (math (count $words) - 2) -eq $argv[2]
end

complete -c ${program} -f
${[...commands, { name: 'help', summary: 'Explain a command' }]
  .map(
    ({ name, summary }) =>
      `complete -c ${program} -n 'test (count (commandline -opc)) -eq 1' -a ${name} -d ${quoted(summary)}`,
  )
  .join('\n')}
complete -c ${program} -n '__instar_on help' -a ${quoted(names.join(' '))}
${[...flags.values()].map((flag) => flagLine(program, flag)).join('\n')}
${commands
  .flatMap(({ name, places }) =>
    places.map((place, at) => `complete -c ${program} -n '__instar_at ${name} ${at}'${offered(place)}`),
  )
  .join('\n')}
${others.map((other) => `complete -c ${other} -w ${program}`).join('\n')}
`;
}

function flagLine(program: string, { name, short, help, value, commands }: CompletedFlag): string {
  const wanted = value === undefined ? '' : value.kind === 'text' ? ' -x' : ` -r${offered(value)}`;
  const letter = short === undefined ? '' : ` -s ${short}`;
  return `complete -c ${program} -n '__instar_on ${commands.join(' ')}' -l ${name}${letter}${wanted} -d ${quoted(help)}`;
}

function offered(place: Place): string {
  switch (place.kind) {
    case 'words':
      return ` -f -a ${quoted(place.words.join(' '))}`;
    case 'names':
      return " -f -a '(__instar_names)'";
    case 'file':
      return ' -F';
    case 'directory':
      return " -f -a '(__fish_complete_directories (commandline -ct))'";
    case 'text':
      return ' -f';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
}
