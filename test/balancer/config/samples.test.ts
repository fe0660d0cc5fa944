/** conf/ipvs-weightman.conf is read as it stands and with what it shows in comments; it shows every option. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { OPTION_KEYS } from '../../../daemon/balancer/config/options.js';
import { SERVICE_OPTIONS } from '../../../daemon/balancer/config/service-options.js';
import { ROOT } from '../../config/support.js';
import { configOf } from './support.js';

const text = readFileSync(path.join(ROOT, 'conf/ipvs-weightman.conf'), 'utf8');
const grown = text.replace(/^#(?=[!a-zA-Z])/gm, '');

describe('ipvs-weightman.conf', () => {
  test('means what the description says', () => {
    const { services, hosts, options } = configOf(text);
    assert.deepEqual(
      services.map(({ tag, host, port, realPort, check, email, sorry }) => [
        ...[tag, host, port, realPort, check?.shown, email, sorry],
      ]),
      [
        ['www', '198.51.100.4', 80, 80, 'http://www.example.org/mycheck1', true, 'mysorryserver'],
        ['srv', '198.51.100.5', 8080, 80, 'http://www.example.org/mycheck2', false, ''],
      ],
    );
    assert.deepEqual(
      hosts.map(({ tag, weights }) => [tag, ...weights]),
      [
        ['mysorryserver'],
        ['srv1', ['www', 100], ['srv', 10]],
        ['srv2', ['www', 200], ['srv', 20]],
        ['srv3', ['www', 300]],
      ],
    );
    assert.equal(options.checkPeriodMs, 1000);
    assert.equal(options.sorryDefault, 'mysorryserver');
  });

  test('what it shows in comments is a configuration, too', () => {
    const { services, hosts } = configOf(grown);
    assert.equal(services.length, 10);
    assert.equal(hosts.length, 4 + 20 + 16 + 3);
  });

  for (const key of OPTION_KEYS.filter((name) => name !== 'Config.Path'))
    test(`shows ${key}`, () => assert.ok(grown.includes(`\n${key}=`)));
  for (const option of SERVICE_OPTIONS)
    test(`shows ${option}`, () => assert.match(grown, new RegExp(`^! .*[ ,]${option}(?:[=,]|$)`, 'm')));
});
