import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flagNamed, flagsOf } from '../../../src/config/flags.ts';
import { choicesOf, defaultText, optionNames, optionProblem } from '../../../src/wizard/option-list.ts';

test('every flag of the engine that changes something is an option, or is asked for elsewhere', () => {
  const offered = optionNames();
  assert.deepEqual(offered.slice(0, 3), ['stagingSchema', 'userscript', 'metricsAddr']);
  assert.equal(new Set(offered).size, offered.length);
  for (const name of ['flushSize', 'memoryLimit', 'gracePeriod', 'truncate', 'onApplyError', 'verbose'] as const) {
    assert.ok(offered.includes(name), name);
  }
  for (const name of ['sourceConn', 'slotName', 'targetSchema', 'config', 'help', 'scanSize'] as const) {
    assert.ok(!offered.includes(name), name);
  }
  const left = flagsOf('pglogical').filter((name) => !offered.includes(name) && flagNamed(name).effect === undefined);
  assert.equal(left.length, 13);
});

test('each option has a default to show that would itself be accepted', () => {
  for (const name of optionNames()) {
    assert.notEqual(defaultText(name), '');
    const flag = flagNamed(name);
    if (flag.default) assert.equal(optionProblem(name, flag.default), undefined, name);
    for (const choice of choicesOf(flag) ?? []) assert.equal(optionProblem(name, choice), undefined, name);
  }
});

test('problems are told in a sentence', () => {
  assert.match(String(optionProblem('flushSize', '0')), /^flushSize must be at least 1, not 0/);
  assert.match(String(optionProblem('flushPeriod', '5')), /^flushPeriod must be a duration such as/);
  assert.match(String(optionProblem('stagingSchema', '')), /must not be empty/);
  assert.match(String(optionProblem('stagingSchema', 'a.b.c')), /takes a schema or database\.schema/);
  assert.match(String(optionProblem('stagingSchema', '"a')), /quote is not closed/);
  assert.match(String(optionProblem('metricsAddr', 'localhost')), /host:port/);
  assert.match(String(optionProblem('metricsAddr', ':70000')), /65535/);
  assert.equal(optionProblem('metricsAddr', ''), undefined);
});

test('the path of a userscript is looked at', () => {
  assert.equal(optionProblem('userscript', ''), undefined);
  assert.match(String(optionProblem('userscript', '/nowhere/a.ts')), /there is no such file/);
  assert.match(String(optionProblem('userscript', import.meta.dirname)), /is not a file/);
  assert.match(String(optionProblem('userscript', 'package.json')), /neither TypeScript nor JavaScript/);
  assert.equal(optionProblem('userscript', import.meta.filename), undefined);
});
