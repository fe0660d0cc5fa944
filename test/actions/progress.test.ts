/** What was started or stopped by half is neither running nor stopped, whatever it says of itself: hooks run as a worker runs them. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync } from 'node:fs';
import { test } from 'node:test';
import { noteUnstopped } from '../../daemon/runtime/action-hooks.js';
import { bootId } from '../../daemon/sys/clock.js';
import { until } from '../system/wait.js';
import { type Resource, resourceFor } from './support.js';

const PATIENCE_MS = 20_000;
const says = (word: string): string => `[local]\nname=c sh: echo ${word}\n`;

async function statusOf(resource: Resource): Promise<number | null> {
  return (await resource.run('status')).code;
}

/** Begins an action whose first command never ends, and kills it there. */
async function cutOff(resource: Resource, action: 'start' | 'stop'): Promise<void> {
  const begun = resource.file(`${action}.begun`);
  const list = `sh: touch ${begun}; exec sleep 1000`;
  resource.keep(`[slave_to_master]\n${list}\n[master_to_slave]\n${list}\n`, says('unknown'));
  const { done, kill } = resource.begin(action);
  await until(() => existsSync(begun), PATIENCE_MS, 'it does not begin');
  kill();
  await done;
}

test('a start by half does not run; its end, or that of a stop, makes that good', async (t) => {
  const resource = resourceFor(t);
  resource.keep('[slave_to_master]\nsh: exit 3\n', says('master'));
  assert.equal(await statusOf(resource), 0);
  assert.equal((await resource.run('start')).code, 1);
  const { code, detail } = await resource.run('status');
  assert.equal(code, 4);
  assert.match(detail, /the last start has not come to the end of its list/);
  assert.equal((await resource.run('stop')).code, 0);
  assert.equal(await statusOf(resource), 0, 'the check has the say again');
  await cutOff(resource, 'start');
  resource.keep('', says('slave'));
  assert.equal(await statusOf(resource), 4, 'one that was killed');
  resource.keep('', says('master'));
  assert.equal((await resource.run('start')).code, 0);
  assert.equal(await statusOf(resource), 0);
  resource.keep('', says('slave'));
  assert.equal(await statusOf(resource), 1, 'it may stop by itself');
});

test('a stop by half has not stopped it, until one has come to its end', async (t) => {
  const resource = resourceFor(t);
  const fails = '[master_to_slave]\nsh: exit 3\n';
  resource.keep(fails, says('slave'));
  assert.equal(await statusOf(resource), 1);
  assert.equal((await resource.run('stop')).code, 1);
  const { code, detail } = await resource.run('status');
  assert.equal(code, 4);
  assert.match(detail, /the last stop has not come to the end of its list/);
  resource.keep(fails, says('master'));
  assert.equal(await statusOf(resource), 0, 'so that it is stopped again');
  await cutOff(resource, 'stop');
  resource.keep('', says('slave'));
  assert.equal(await statusOf(resource), 4, 'one that was killed');
  assert.equal((await resource.run('stop')).code, 0);
  assert.equal(await statusOf(resource), 1);
});

test('a stop that was killed before it came to its list is one by half', async (t) => {
  const resource = resourceFor(t);
  resource.keep('', says('slave'));
  const { done, kill } = resource.begin('stop');
  kill();
  await done;
  assert.equal(await statusOf(resource), 4);
});

test('a stop for which there was no time has not stopped what had been started', async (t) => {
  const resource = resourceFor(t);
  resource.keep('', says('slave'));
  noteUnstopped({ actions: resource.file('state') });
  assert.equal(await statusOf(resource), 1, 'nothing had');
  assert.equal((await resource.run('start')).code, 0);
  noteUnstopped({ actions: resource.file('state') });
  assert.equal(await statusOf(resource), 4);
  assert.equal((await resource.run('stop')).code, 0);
  noteUnstopped({ actions: resource.file('state') });
  assert.equal(await statusOf(resource), 1);
});

test('a list that the end of the machine cut off is none any more', async (t) => {
  const resource = resourceFor(t);
  resource.keep('[slave_to_master]\nsh: exit 3\n', says('slave'));
  await resource.run('start');
  assert.equal(await statusOf(resource), 4);
  const notes = (): string[] =>
    readdirSync(resource.file('state')).filter((name) => name.startsWith('progress-'));
  renameSync(resource.file(`state/${notes()[0]}`), resource.file('state/progress-0.state'));
  assert.equal(await statusOf(resource), 1);
  resource.keep('', says('slave'));
  await resource.run('start');
  assert.equal(notes().length, 1, 'and it is forgotten');
});

test('what cannot be noted is not started; it is stopped all the same', async (t) => {
  const resource = resourceFor(t);
  resource.keep(
    `[slave_to_master]\nsh: touch ${resource.file('started')}\n[master_to_slave]\nsh: touch ${resource.file('stopped')}\n`,
    says('slave'),
  );
  // No file can be put in the place of a directory.
  const note = resource.file(`state/progress-${bootId()}.state`);
  mkdirSync(note);
  const start = await resource.run('start');
  assert.equal(start.outcome, 'spawn-error');
  assert.match(start.detail, /is not run: it cannot be noted that it begins: /);
  await resource.run('stop');
  assert.match(resource.said.join('\n'), /stop is run all the same, but it cannot be noted/);
  assert.deepEqual(
    [existsSync(resource.file('started')), existsSync(resource.file('stopped'))],
    [false, true],
  );
  rmdirSync(note);
});
