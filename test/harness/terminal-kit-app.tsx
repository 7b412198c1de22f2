import process from 'node:process';
import { Box, Text } from 'ink';
import { useState } from 'react';
import { runApp, useExit } from '../../src/terminal/app.tsx';
import { useCopy } from '../../src/terminal/clipboard.ts';
import { Confirm } from '../../src/terminal/confirm.tsx';
import { Field } from '../../src/terminal/field.tsx';
import { useKeys } from '../../src/terminal/key-bindings.tsx';
import { Screen } from '../../src/terminal/screen.tsx';
import { Select } from '../../src/terminal/select.tsx';

/*
 * A small program with everything that can go wrong between a program and a terminal, for test/e2e/terminal-kit.test.ts.
 */

const { stdin, stdout, stderr, env } = process;
const items = ['PostgreSQL', 'MySQL', 'Oracle', 'CockroachDB'].map((label) => ({ value: label, label }));

function App() {
  const exit = useExit();
  const copy = useCopy();
  const [chosen, setChosen] = useState('nothing');
  const [text, setText] = useState('');
  const [where, setWhere] = useState<'list' | 'field' | 'question'>('list');
  const [broken, setBroken] = useState(false);
  useKeys([
    { keys: ['q'], label: 'quit', run: () => exit('done') },
    { keys: ['e'], label: 'fail', run: () => exit(new Error('it failed on purpose')) },
    { keys: ['tab'], label: 'field', run: () => setWhere('field') },
    { keys: ['s'], label: 'stop', run: () => setWhere('question') },
    { keys: ['c'], label: 'copy', run: () => copy('replicator pglogical\n--slotName a\n') },
    { keys: ['b'], label: 'break', run: () => setBroken(true) },
    {
      keys: ['t'],
      label: 'throw later',
      run: () => {
        setTimeout(() => {
          throw new Error('thrown by a timer');
        });
      },
    },
    {
      keys: ['k'],
      label: 'throw',
      run: () => {
        throw new Error('thrown by a key');
      },
    },
  ]);
  if (broken) throw new Error('thrown while drawing');
  return (
    <Screen title="Kit" status={<Text>ready</Text>}>
      <Box flexDirection="column">
        <Select items={items} onSelect={setChosen} focus={where === 'list'} />
        <Field
          label="name"
          value={text}
          onChange={setText}
          onSubmit={() => setWhere('list')}
          focus={where === 'field'}
        />
        <Text>{`chosen=${chosen}. text=${text}.`}</Text>
        {where === 'question' && (
          <Confirm question="Stop it?" onAnswer={(yes) => (yes ? exit('stopped') : setWhere('list'))} />
        )}
      </Box>
    </Screen>
  );
}

try {
  const value = await runApp<string>(<App />, {
    stdin,
    stdout,
    stderr,
    env,
    onSignal: (signal) => void stdout.write(`told of ${signal}\n`),
  });
  stdout.write(`ended with ${value}\n`);
} catch (error) {
  stderr.write(`kit: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
