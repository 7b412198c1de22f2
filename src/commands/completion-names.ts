/** The names that the program is installed under. */
export const COMPLETED_PROGRAMS = ['instar', 'replicator'];

/**
 * Prints the names of the saved replications, a line each, in a POSIX shell: read from the folder itself, because a shell that has to
 * start the program for every press of the tab key feels broken. The folder is that of src/sessions/folder.ts.
 */
export const SAVED_NAMES = `  local settings=$HOME/.config file name
  [ "$(uname)" = Darwin ] && settings=$HOME/Library/Preferences
  for file in "\${INSTAR_HOME:-\${XDG_CONFIG_HOME:-$settings}/instar}/replications/"*.json; do
    name=\${file##*/}
    [ -f "$file" ] && printf '%s\\n' "\${name%.json}"
  done`;
