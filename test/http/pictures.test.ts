/** Pictures of how everything stands: what is told when it is not known any more, and how often it is looked at. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Answered, Asker } from '../../daemon/http/asker.js';
import { type PictureKind, takePictures } from '../../daemon/http/pictures.js';
import type { ControlReply } from '../../proto/control-types.js';
import { OWN_WORD } from '../balancer/console/views.js';
import { until } from '../system/wait.js';

const LIMIT_MS = 20_000;
const SILENT: Answered = { kind: 'silent', knownMs: 7 };

function answerOf(reply: Partial<ControlReply>): Answered {
  return { kind: 'answer', reply, figures: null, ageMs: 0 };
}

const PAGE = { entries: [], up: 0, down: 0, unknown: 0, next: 0, note: '', lateMs: null, skipped: 0 };
const ANSWERS: Readonly<Record<string, Answered>> = {
  version: answerOf({ text: '1' }),
  cluster: answerOf({ cluster: { kind: 'cluster', node: 'a', at: 1, nodes: [], double: [] } }),
  checks: answerOf({ monitor: { kind: 'checks', ...PAGE } }),
  'balancer-hosts': answerOf({ balancer: { kind: 'hosts', hosts: [], note: '', source: OWN_WORD } }),
  'balancer-services': answerOf({ balancer: { kind: 'services', services: [], note: '', source: OWN_WORD } }),
};

/** Pictures of what `answers` says now. */
function watching(t: TestContext) {
  const answers: Record<string, Answered | Promise<Answered>> = { ...ANSWERS };
  const told: PictureKind[] = [];
  const asked: string[] = [];
  const asker: Asker = {
    async ask({ kind }) {
      asked.push(kind);
      return answers[kind] ?? SILENT;
    },
    heard() {},
    forget() {},
  };
  const facts = { node: 'a', checks: true, balancer: true };
  const pictures = takePictures(
    () => ({ asker, facts }),
    (kind) => void told.push(kind),
  );
  t.after(() => pictures.stop());
  pictures.start();
  const kinds = (): string => [...pictures.latest().keys()].sort().join();
  return { answers, asked, told, kinds };
}

test('what cannot be asked any more is not told to who comes then', async (t) => {
  const { answers, kinds } = watching(t);
  await until(() => kinds() === 'balancer,checks,cluster', LIMIT_MS, kinds);
  answers['balancer-hosts'] = SILENT;
  await until(() => kinds() === 'checks,cluster', LIMIT_MS, kinds);
  answers.checks = answerOf({ error: { code: 69, message: 'no' } });
  await until(() => kinds() === 'cluster', LIMIT_MS, kinds);
  answers.cluster = answerOf({ error: { code: 70, message: 'no' } });
  await until(() => kinds() === '', LIMIT_MS, kinds);
});

test('a main process that does not come back from gathering is silent', async (t) => {
  const { answers, kinds, told } = watching(t);
  await until(() => kinds().includes('cluster'), LIMIT_MS, kinds);
  answers.cluster = SILENT;
  await until(() => told.includes('silent') && !kinds().includes('cluster'), LIMIT_MS, kinds);
});

test('what is waited for of other nodes is part of the pause', async (t) => {
  const { answers, asked, told } = watching(t);
  const count = (kinds: readonly string[]): number => kinds.filter((kind) => kind === 'cluster').length;
  await until(() => told.includes('cluster'), LIMIT_MS, 'no picture');
  let answer: (answered: Answered) => void = () => {};
  answers.cluster = new Promise((resolve) => {
    answer = resolve;
  });
  const before = count(asked);
  await until(() => count(asked) > before, LIMIT_MS, 'no other picture');
  const since = performance.now();
  await until(() => performance.now() - since > 3000, LIMIT_MS, 'time stands still');
  answer(ANSWERS.cluster ?? SILENT);
  const answered = performance.now();
  await until(() => count(asked) > before + 1, LIMIT_MS, 'no further picture');
  const pauseMs = performance.now() - answered;
  assert.ok(pauseMs < 2000, `${pauseMs} ms after one that took 3 s`);
});
