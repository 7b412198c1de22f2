import type { CheckSide } from '../preflight/check.ts';
import type { FormField } from '../terminal/form.tsx';
import { fieldProblem, shownUrl, variableOf } from './connection-draft.ts';
import type { Entry } from './connection-entry.ts';
import type { FieldName } from './connection-form.ts';

export type FieldId = FieldName | 'url' | 'keep' | 'variable';

/** The two places for a connection string with its password. */
export const KEEP = { file: 'in the secrets file (0600)', variable: 'in an environment variable' } as const;

/** As CockroachDB has them. */
const TARGET_EXAMPLE = 'postgresql://user:password@host:26257/defaultdb';

interface Surroundings {
  readonly side: CheckSide;
  readonly focus: FieldId;
  readonly env: NodeJS.ProcessEnv;
  /** What stands for a character that is hidden. */
  readonly dot: string;
  readonly variableError: string | undefined;
}

/** The fields of the form: for a reference the first alone, else the parts of the connection and where it is to be kept. */
export function connectionFields({ draft, keep, variable }: Entry, surroundings: Surroundings): FormField[] {
  const { side, focus, env, dot, variableError } = surroundings;
  const { fields, form } = draft;
  const placeholders = form.placeholders(env);
  const example = side === 'source' ? '$SOURCE' : '$TARGET';
  const url: FormField = {
    id: 'url',
    label: 'URL',
    value: draft.url,
    mask: (text) => shownUrl(text, dot),
    placeholder: side === 'source' ? form.example : TARGET_EXAMPLE,
    hint: `Paste it, or fill in the fields. ${example} reads the environment.`,
    // What is still being typed is not wrong yet.
    error: focus === 'url' ? undefined : fieldProblem(draft, 'url'),
  };
  if (variableOf(draft) !== undefined) return [url];
  const mode = fields.sslmode || form.mode(env);
  const words = form.words ?? {};
  const all: (FormField | false)[] = [
    url,
    {
      id: 'host',
      label: 'Host',
      value: fields.host,
      placeholder: placeholders.host,
      hint: form.hostHint,
    },
    {
      id: 'port',
      label: 'Port',
      value: fields.port,
      placeholder: placeholders.port,
      hint: side === 'source' ? undefined : 'PostgreSQL listens on 5432, CockroachDB on 26257.',
      error: fieldProblem(draft, 'port'),
    },
    {
      id: 'database',
      label: words.database?.label ?? 'Database',
      value: fields.database,
      placeholder: placeholders.database,
      hint: words.database?.hint,
    },
    form.keywords.pdb !== undefined && {
      id: 'pdb',
      label: words.pdb?.label ?? 'PDB',
      value: fields.pdb,
      placeholder: placeholders.pdb,
      hint: words.pdb?.hint,
    },
    { id: 'user', label: 'User', value: fields.user, placeholder: placeholders.user },
    {
      id: 'password',
      label: 'Password',
      value: fields.password,
      mask: true,
      placeholder: placeholders.password,
      hint: 'As it is: what a URL has to write otherwise is encoded for you.',
    },
    { id: 'sslmode', label: 'TLS', value: mode, choices: Object.keys(form.modes), hint: form.modes[mode] },
    form.verifying.includes(mode) && {
      id: 'sslrootcert',
      label: words.sslrootcert?.label ?? 'CA file',
      value: fields.sslrootcert,
      placeholder: placeholders.sslrootcert,
      hint: words.sslrootcert?.hint ?? 'The certificate of the authority, in PEM form.',
    },
    {
      id: 'keep',
      label: 'Keep it',
      value: KEEP[keep],
      choices: Object.values(KEEP),
      hint:
        keep === 'file'
          ? 'Only this user of this machine can read it; a resume asks nothing.'
          : 'Nothing secret is written down; the variable has to be set at each resume.',
    },
    keep === 'variable' && {
      id: 'variable',
      label: 'Variable',
      value: variable,
      hint: `Before a resume: export ${variable}='${form.schemes[0]}://...'`,
      error: variableError,
    },
  ];
  return all.filter((field) => field !== false);
}
