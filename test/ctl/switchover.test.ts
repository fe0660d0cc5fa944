/** switchover: the phases as they come, how waiting for it ends, and what --dry-run shows. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ControlReply, ControlRequest } from '../../proto/control-types.js';
import type { Condition, Explanation } from '../../proto/explain-types.js';
import { entryOf, fakeDaemon, hastmonctl } from './support.js';

const program = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../ctl/hastmonctl.js');

type Reply = (partial: Partial<ControlReply>) => void;

/** A hastmond that says the lines, and then gives the answer; to `--dry-run`, too, where it is `planned`. */
function going(lines: readonly string[], answer: Partial<ControlReply>, planned = false) {
  const asked: ControlRequest[] = [];
  const handle = async (request: ControlRequest, reply: Reply): Promise<Partial<ControlReply>> => {
    if (request.kind === 'status') return { status: [entryOf({ holder: 'beta' })] };
    if (request.kind === 'switchover-plan' && !planned) return {};
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
    const handle = async ({ kind }: ControlRequest): Promise<Partial<ControlReply>> => {
      if (kind === 'switchover-plan') return {};
      return kind === 'status' ? { status: [entryOf({ state: 'stopping' })] } : new Promise(() => {});
    };
    const config = await fakeDaemon(t, handle);
    const heard = await hastmonctl(['switchover', 'mail', '--timeout', '300ms', '-c', config]);
    assert.equal(heard.code, 75);
    assert.match(
      heard.err,
      /mail: not done after 300 ms: primary, stopping.*\n.*it goes on; hastmonctl status mail/,
    );
  });

  test('that is interrupted says what goes on', async (t) => {
    const handle = async ({ kind }: ControlRequest, reply: Reply): Promise<Partial<ControlReply>> => {
      if (kind === 'switchover-plan') return {};
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

describe('where the successor cannot take over yet', () => {
  const condition = (name: string, source: string, holds: boolean): Condition => ({
    ...{ topic: name === 'lease' ? 'here' : 'successor', name, holds, oneOf: '', enough: 1 },
    ...{ what: name, value: '', needed: '', ageMs: 0, source, change: holds ? '' : name },
  });

  /** A hastmond whose conditions get better with each question. */
  async function after(t: TestContext, ...steps: Condition[][]) {
    const asked: string[] = [];
    const config = await fakeDaemon(t, async ({ kind }) => {
      asked.push(kind);
      const conditions = (steps.length > 1 ? steps.shift() : steps[0]) ?? [];
      const missing = conditions.filter(({ holds }) => holds !== true);
      const error = missing.length === 0 ? null : { code: 75, message: `beta lacks ${missing[0]?.name}` };
      if (kind !== 'switchover-plan') return error === null ? { text: 'mail: runs on beta\n' } : { error };
      const about = { subject: 'switchover', name: 'mail', node: 'alpha', sentence: 'so it is' } as const;
      return { error, explanations: [{ ...about, verdicts: { here: true, successor: false }, conditions }] };
    });
    return { asked, config };
  }

  test('it is waited for what comes by itself, and that is said once', async (t) => {
    const early = [condition('free', 'beta', false), condition('connected', 'alpha', false)];
    const { asked, config } = await after(t, early, early, [condition('free', 'beta', true)]);
    const heard = await hastmonctl(['switchover', 'mail', '-c', config]);
    assert.deepEqual(heard, {
      ...{ code: 0, out: 'mail: runs on beta\n' },
      err: 'mail: beta lacks free; waiting for that, nothing is done before\n',
    });
    assert.deepEqual(asked, [...Array(3).fill('switchover-plan'), 'switchover']);
  });

  test('--dry-run says what would be waited for, and that it is not done as it stands', async (t) => {
    const { config } = await after(t, [condition('free', 'beta', false)]);
    const heard = await hastmonctl(['switchover', 'mail', '--dry-run', '-c', config]);
    assert.equal(heard.code, 75);
    assert.match(heard.out, /^switchover mail on alpha: would wait for: beta lacks free\n/);
    const refused = await after(t, [condition('rested', 'beta', false)]);
    const { out } = await hastmonctl(['switchover', 'mail', '--dry-run', '-c', refused.config]);
    assert.match(out, /^switchover mail on alpha: so it is\n/);
  });

  for (const [why, conditions] of Object.entries({
    'the other node has just failed': [condition('free', 'beta', false), condition('rested', 'beta', false)],
    'the other node is not connected': [condition('connected', 'alpha', false)],
    'it does not run here': [condition('lease', 'alpha', false), condition('free', 'beta', false)],
  }))
    test(`it is refused at once where ${why}`, async (t) => {
      const { asked, config } = await after(t, conditions);
      const heard = await hastmonctl(['switchover', 'mail', '-c', config]);
      assert.equal(heard.code, 75);
      assert.match(heard.err, /^hastmonctl: beta lacks \w+\n$/);
      assert.deepEqual(asked, ['switchover-plan', 'switchover']);
    });

  test('after the time that was given it is refused, with the reason', async (t) => {
    const { config } = await after(t, [condition('free', 'beta', false)]);
    const heard = await hastmonctl(['switchover', 'mail', '--timeout', '700ms', '-c', config]);
    assert.equal(heard.code, 75);
    assert.match(heard.err, /waiting for that, nothing is done before\nhastmonctl: beta lacks free\n$/);
  });

  test('an interrupt ends the waiting, and nothing has been done', async (t) => {
    const { asked, config } = await after(t, [condition('free', 'beta', false)]);
    const child = spawn(process.execPath, [program, 'switchover', 'mail', '-c', config], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let err = '';
    child.stderr.on('data', (chunk) => {
      if (err === '') child.kill('SIGINT');
      err += chunk;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    assert.equal(code, 130);
    assert.match(err, /\nhastmonctl: mail: nothing has been done\n$/);
    assert.ok(!asked.includes('switchover'));
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
    const { asked, handle } = going([], { explanations: [explanation], text: 'stop it\nstart it' }, true);
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

  test('what would happen is as wide as the table', async (t) => {
    const text = `${'stop it and then do something else '.repeat(6)}\nstart it`;
    const { handle } = going([], { explanations: [explanation], text }, true);
    const { out } = await hastmonctl(['switchover', 'mail', '--dry-run', '-c', await fakeDaemon(t, handle)]);
    for (const line of out.split('\n')) assert.ok(line.length <= 120, line);
    assert.match(out, /^ {2}1\. stop it and [^\n]*\n {5}[a-z][^\n]*\n {2}2\. start it\n$/m);
  });

  test('ends with 75 where it would be refused, and with the error where nothing can be said', async (t) => {
    const error = { code: 75, message: 'beta cannot take over now' };
    const refused = await fakeDaemon(t, going([], { explanations: [explanation], error }, true).handle);
    const heard = await hastmonctl(['switchover', 'mail', '--dry-run', '-c', refused]);
    assert.equal(heard.code, 75);
    assert.doesNotMatch(heard.out, /WHAT WOULD HAPPEN/);
    const unknown = { error: { code: 68, message: 'no resource mail' } };
    const nothing = await fakeDaemon(t, going([], unknown, true).handle);
    assert.deepEqual(await hastmonctl(['switchover', 'mail', '--dry-run', '-c', nothing]), {
      ...{ code: 68, out: '', err: 'hastmonctl: no resource mail\n' },
    });
  });
});
