/** The sorry server: when it is in, which one it is, and who is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { file, Given, host, service, WWW } from './given.js';

const ALL = { '1': 100, '2': 200, '3': 300 };
const up = (): Given => new Given().pass(1, 2, 3);

function said(given: Given, level: string): string[] {
  return given.told('log').flatMap((event) => (event.level === level ? [event.text] : []));
}

test('[B5] the sorry server is in while no server has weight, with a mail on both edges', () => {
  const given = up();
  given.told('mail');
  given.fail(1, 2).off(3);
  assert.deepEqual(given.weights(), { '1': 0, '2': 0, '3': 0, '9': 1 });
  const [fail] = given.told('mail');
  assert.equal(fail?.subject, "VS 'www' FAIL");
  assert.match(
    fail?.text ?? '',
    /1\.2\.3\.4:80.*since[\s\S]*sorry[\s\S]*s1 .*down.*refused[\s\S]*s3 .*disabled: .*root/,
  );
  given.now += 12_298;
  given.pass(2);
  assert.deepEqual(given.weights(), { '1': 0, '2': 200, '3': 0 });
  assert.deepEqual(
    given.told('mail').map(({ subject }) => subject),
    ["VS 'www' OK (after 12.3s)"],
  );
});

test('[B5] it is in before the last weight is taken, and out after the first one is given', () => {
  const given = up().fail(1, 2);
  given.changes = [];
  given.fail(3);
  assert.deepEqual(
    given.changes.map(({ kind }) => kind),
    ['add-server', 'edit-server'],
  );
  given.changes = [];
  given.pass(3);
  assert.deepEqual(
    given.changes.map(({ kind }) => kind),
    ['edit-server', 'delete-server'],
  );
});

test('[B5] its own sorry server, else the default one, else the last resort; none is told once', () => {
  const hosts = [host('s1', { www: 1 }), host('s2', {}), host('sorry', {})];
  const last = { host: 'last', title: 'last', address: '10.0.0.8' };
  const table: [own: string, sorryDefault: string, fallback: typeof last | null, weights: object][] = [
    ['s2', 'sorry', last, { '1': 0, '2': 1 }],
    ['', 'sorry', last, { '1': 0, '9': 1 }],
    ['nobody', '', last, { '1': 0, '8': 1 }],
    ['s1', '', null, { '1': 1 }],
    ['', '', null, { '1': 0 }],
  ];
  for (const [sorry, sorryDefault, sorryFallback, weights] of table) {
    const config = file([service('www', { sorry })], hosts, { sorryDefault, sorryFallback });
    assert.deepEqual(new Given({ config }).fail(1).weights(), weights);
  }
  const given = new Given({ config: file([service('www')], hosts, { sorryDefault: '' }) })
    .fail(1)
    .fail(1)
    .after(3000);
  assert.equal(said(given, 'warn').filter((text) => text.includes('no sorry server')).length, 1);
});

test('[B5] a service without servers has the sorry server, and so has one that loses them to a reload', () => {
  const given = new Given({ config: file([service('www')], [host('sorry', {})]) });
  assert.deepEqual(given.weights(), { '9': 1 });
  const lost = up().reload(file([service('www')], [host('sorry', {})]));
  assert.deepEqual(lost.weights(), { '9': 1 });
});

test('[B5] below its quorum a service has no weight, with hysteresis', () => {
  const www = service('www', { quorum: 300, hysteresis: 100 });
  const given = new Given({ config: { ...WWW, services: [www] } }).pass(1, 2, 3);
  assert.deepEqual(given.fail(3).weights(), { '1': 100, '2': 200, '3': 0 });
  assert.deepEqual(given.fail(2).weights(), { '1': 0, '2': 0, '3': 0, '9': 1 }, 'below 200');
  assert.deepEqual(given.pass(2).weights(), { '1': 0, '2': 0, '3': 0, '9': 1 }, 'below 400');
  assert.deepEqual(given.pass(3).weights(), ALL);
});
