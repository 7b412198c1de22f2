import type { CheckSide } from '../preflight/check.ts';
import type { FormField } from '../terminal/form.tsx';
import { type FieldName, fieldProblem, shownUrl, variableOf } from './connection-draft.ts';
import type { Entry } from './connection-entry.ts';

export type FieldId = FieldName | 'url' | 'keep' | 'variable';

/** The two places for a connection string with its password. */
export const KEEP = { file: 'in the secrets file (0600)', variable: 'in an environment variable' } as const;

/** What each TLS mode means, for somebody who has to choose. */
const MODES: Readonly<Record<string, string>> = {
  prefer: 'TLS if the server has it; nobody checks who answers',
  require: 'always TLS; nobody checks who answers',
  'verify-ca': 'TLS, and the certificate must be from an authority that is known here',
  'verify-full': 'TLS, and the certificate must name this host: the safe choice',
  disable: 'no TLS: everybody on the way can read along',
  allow: 'no TLS unless the server insists',
};

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
  const { fields } = draft;
  const example = side === 'source' ? '$SOURCE' : '$TARGET';
  const url: FormField = {
    id: 'url',
    label: 'URL',
    value: draft.url,
    mask: (text) => shownUrl(text, dot),
    placeholder: 'postgresql://user:password@host:5432/database',
    hint: `Paste it, or fill in the fields. ${example} reads the environment.`,
    // What is still being typed is not wrong yet.
    error: focus === 'url' ? undefined : fieldProblem(draft, 'url'),
  };
  if (variableOf(draft) !== undefined) return [url];
  const mode = fields.sslmode || env.PGSSLMODE || 'prefer';
  const verifies = mode === 'verify-ca' || mode === 'verify-full';
  const all: (FormField | false)[] = [
    url,
    {
      id: 'host',
      label: 'Host',
      value: fields.host,
      placeholder: env.PGHOST ?? 'localhost',
      hint: 'A name, an address, or the directory of a socket.',
    },
    {
      id: 'port',
      label: 'Port',
      value: fields.port,
      placeholder: env.PGPORT ?? '5432',
      hint: side === 'source' ? undefined : 'PostgreSQL listens on 5432, CockroachDB on 26257.',
      error: fieldProblem(draft, 'port'),
    },
    {
      id: 'database',
      label: 'Database',
      value: fields.database,
      placeholder: env.PGDATABASE ?? 'the same as the user',
    },
    { id: 'user', label: 'User', value: fields.user, placeholder: env.PGUSER ?? 'yours on this machine' },
    {
      id: 'password',
      label: 'Password',
      value: fields.password,
      mask: true,
      placeholder: env.PGPASSWORD ? 'that of PGPASSWORD' : 'none, or that of ~/.pgpass',
      hint: 'As it is: what a URL has to write otherwise is encoded for you.',
    },
    { id: 'sslmode', label: 'TLS', value: mode, choices: Object.keys(MODES), hint: MODES[mode] },
    verifies && {
      id: 'sslrootcert',
      label: 'CA file',
      value: fields.sslrootcert,
      placeholder: env.PGSSLROOTCERT ?? '~/.postgresql/root.crt',
      hint: 'The certificate of the authority, in PEM form.',
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
      hint: `Before a resume: export ${variable}='postgresql://...'`,
      error: variableError,
    },
  ];
  return all.filter((field) => field !== false);
}
