import { EventEmitter } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { render } from 'ink';
import { createElement } from 'react';
import { Dashboard } from '../../src/dashboard/dashboard.tsx';
import { Root } from '../../src/terminal/app.tsx';
import { busy, fakeEngine } from './fake-replicator.ts';

/*
 * A program of its own, as React and Ink keep records of each update unless NODE_ENV says "production" before they are loaded. Draws the
 * dashboard the given number of times, each after a look at an engine with 20 tables, and prints what that took as JSON.
 */
class Sink extends EventEmitter {
  readonly isTTY = true;
  readonly columns = 80;
  readonly rows = 24;
  bytes = 0;

  write(data: string, encodingOrDone?: string | (() => void), done?: () => void): boolean {
    this.bytes += data.length;
    const callback = typeof encodingOrDone === 'function' ? encodingOrDone : done;
    callback?.();
    return true;
  }
}

class Keys extends EventEmitter {
  readonly isTTY = true;
  setRawMode = () => this;
  setEncoding = () => this;
  ref = () => this;
  unref = () => this;
  resume = () => this;
  pause = () => this;
  read = () => null;
}

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');
const updates = Number(process.argv[2]);
const stdout = new Sink();
const fake = fakeEngine({ tables: Array.from({ length: 20 }, (_, n) => `table_${n}`) });
const dashboard = createElement(Dashboard, { poller: fake.poller, title: 'soak', onLeave() {} });
const app = render(
  createElement(Root, { element: dashboard, env: { LANG: 'C.UTF-8' }, onInterrupt() {}, onRedraw() {} }),
  {
    stdin: new Keys() as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stdout as unknown as NodeJS.WriteStream,
    interactive: true,
    alternateScreen: true,
    incrementalRendering: true,
    exitOnCtrlC: false,
    patchConsole: false,
    // Each update is to be drawn, however fast they follow each other here.
    maxFps: 100_000,
  },
);

async function update(count: number): Promise<void> {
  for (let done = 0; done < count; done++) {
    await fake.look(1, (engine) => {
      busy(engine);
      engine.lag = Math.random();
    });
    await app.waitUntilRenderFlush();
    await turn();
  }
}

const warmUp = Math.ceil(updates / 10);
await update(warmUp);
collect();
const heapBefore = process.memoryUsage().heapUsed;
const cpuBefore = process.cpuUsage();
const bytesBefore = stdout.bytes;
await update(updates - warmUp);
const cpu = process.cpuUsage(cpuBefore);
collect();
const measured = updates - warmUp;
const result = {
  cpuPerUpdate: (cpu.user + cpu.system) / 1000 / measured,
  bytesPerUpdate: (stdout.bytes - bytesBefore) / measured,
  heapGrown: process.memoryUsage().heapUsed - heapBefore,
  measures: performance.getEntriesByType('measure').length,
};
app.unmount();
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
