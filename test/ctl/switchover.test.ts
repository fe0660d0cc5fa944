/** switchover: the phases as they come, how waiting for it ends, and what --dry-run shows. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ControlReply, ControlRequest } from '../../proto/control-types.js';
import type { Explanation } from '../../proto/explain-types.js';
import { entryOf, fakeDaemon, hastmonctl } from './support.js';

const program = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../ctl/hastmonctl.js');

type Reply = (partial: Partial<ControlReply>) => void;

/** A hastmond that says the lines, and then gives the answer. */
function going(lines: readonly string[], answer: Partial<ControlReply>) {
  const asked: ControlRequest[] = [];
  const handle = async (request: ControlRequest, reply: Reply): Promise<Partial<ControlReply>> => {
    if (request.kind === 'status') return { status: [entryOf({ holder: 'beta' })] };
    asked.push(request);
    for (const progress of lines) reply({ progress });
    return answer;
  };
  return { asked, handle };
}

describe('a switchover that is waited for', () => {
  const lines = ['mail: stopped here after 500 ms; the lease passes to beta', 'mail: beta has the lease'];

  test('says each phase in a line that stays, and at its end what each took', async (t) => {
    const text = 'mail: runs on beta: stop took 500 ms; 1.7 s in total\n';
    const { asked, handle } = going(lines, { text });
    const config = await fakeDaemon(t, handle);
    const heard = await hastmonctl(['switchover', 'mail', '-c', config]);
    assert.deepEqual(heard, { code: 0, out: text, err: `${lines.join('\n')}\n` });
    assert.deepEqual(asked, [{ kind: 'switchover', resource: 'mail', to: '', wait: true }]);
    const { out } = await hastmonctl(['switchover', 'mail', '--json', '-c', config]);
    assert.equal(JSON.parse(out)[0].holder, 'beta');
  });

  test('ends with an error where it was put back', async (t) => {
    const message = 'mail: put back: beta could not start it: exit 1; it runs here again';
    const config = await fakeDaemon(t, going(lines, { error: { code: 75, message } }).handle);
    const heard = await hastmonctl(['switchover', 'mail', '-c', config]);
    assert.deepEqual(heard, { code: 75, out: '', err: `${lines.join('\n')}\nhastmonctl: ${message}\n` });
  });

  test('is not waited for any longer than it was said to be', async (t) => {
    const handle = async (request: ControlRequest): Promise<Partial<ControlReply>> =>
      request.kind === 'status' ? { status: [entryOf({ state: 'stopping' })] } : new Promise(() => {});
    const config = await fakeDaemon(t, handle);
    const heard = await hastmonctl(['switchover', 'mail', '--timeout', '50ms', '-c', config]);
    assert.equal(heard.code, 75);
    assert.match(
      heard.err,
      /mail: not done after 50 ms: primary, stopping.*\n.*it goes on; hastmonctl status mail/,
    );
  });

  test('that is interrupted says what goes on', async (t) => {
    const handle = async (_: ControlRequest, reply: Reply): Promise<Partial<ControlReply>> => {
      reply({ progress: 'mail: stopping it here' });
      return new Promise(() => {});
    };
    const config = await fakeDaemon(t, handle);
    const child = spawn(process.execPath, [program, 'switchover', 'mail', '-c', config], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let err = '';
    child.stderr.on('data', (chunk) => {
      err += chunk;
      if (err === 'mail: stopping it here\n') child.kill('SIGINT');
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    assert.equal(code, 130);
    assert.match(err, /no longer waiting: a switchover that has begun goes on; hastmonctl status mail and /);
  });
});

test('--no-wait is answered when it is under way', async (t) => {
  const { asked, handle } = going([], { text: 'mail: under way\n' });
  const heard = await hastmonctl(['switchover', 'mail', '--no-wait', '-c', await fakeDaemon(t, handle)]);
  assert.deepEqual(heard, { code: 0, out: 'mail: under way\n', err: '' });
  assert.deepEqual(asked, [{ kind: 'switchover', resource: 'mail', to: '', wait: false }]);
});

describe('--dry-run', () => {
  const explanation: Explanation = {
    ...{ subject: 'switchover', name: 'mail', node: 'alpha', sentence: 'would be handed over to beta' },
    verdicts: { here: true, successor: true },
    conditions: [
      {
        ...{ topic: 'successor', name: 'majority', holds: true, oneOf: '', enough: 1 },
        ...{ what: 'it hears a majority', value: 'it does', needed: 'it does' },
        ...{ ageMs: 700, source: 'beta', change: '' },
      },
    ],
  };

  test('[N51] shows the conditions and the steps, by a request of its own', async (t) => {
    const { asked, handle } = going([], { explanations: [explanation], text: 'stop it\nstart it' });
    const words = ['switchover', 'mail', '--to', 'beta', '--dry-run', '-c', await fakeDaemon(t, handle)];
    const { code, err, out } = await hastmonctl(words);
    assert.deepEqual({ code, err }, { code: 0, err: '' });
    assert.match(out, /^switchover mail on alpha: would be handed over to beta\n/);
    assert.match(out, /TAKE OVER: yes\n +yes +it hears a majority +it does +it does +1 s +beta\n/);
    assert.match(out, /\n\nWHAT WOULD HAPPEN, IN THIS ORDER:\n {2}1\. stop it\n {2}2\. start it\n$/);
    assert.deepEqual(asked[0], { kind: 'switchover-plan', resource: 'mail', to: 'beta' });
    const { out: json } = await hastmonctl([...words, '--json']);
    assert.deepEqual(JSON.parse(json), {
      done: true,
      refusal: '',
      explanation,
      steps: ['stop it', 'start it'],
    });
  });

  test('ends with 75 where it would be refused, and with the error where nothing can be said', async (t) => {
    const error = { code: 75, message: 'beta cannot take over now' };
    const refused = await fakeDaemon(t, going([], { explanations: [explanation], error }).handle);
    const heard = await hastmonctl(['switchover', 'mail', '--dry-run', '-c', refused]);
    assert.equal(heard.code, 75);
    assert.doesNotMatch(heard.out, /WHAT WOULD HAPPEN/);
    const unknown = { error: { code: 68, message: 'no resource mail' } };
    const nothing = await fakeDaemon(t, going([], unknown).handle);
    assert.deepEqual(await hastmonctl(['switchover', 'mail', '--dry-run', '-c', nothing]), {
      ...{ code: 68, out: '', err: 'hastmonctl: no resource mail\n' },
    });
  });
});
