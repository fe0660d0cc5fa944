/** The manual pages say all there is: every statement, command, option, variable and name, with true defaults and limits. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readArguments } from '../../ctl/arguments.js';
import { drillJson } from '../../ctl/drill.js';
import { compute } from '../../ctl/drill-facts.js';
import {
  DEFAULT_ATTEMPTS,
  DEFAULT_COMPLAINT_COUNT,
  DEFAULT_CONTROL,
  DEFAULT_LISTEN,
  DEFAULT_PRIORITY,
  DEFAULT_STATE_DIR,
  DEFAULT_TIMES,
  DEFAULT_WATCHDOG_TIMEOUT_MS,
} from '../../daemon/config/defaults.js';
import { formatDuration, formatPercent } from '../../daemon/config/duration.js';
import { RULES } from '../../daemon/config/grammar.js';
import { parseConfig } from '../../daemon/config/load.js';
import { hookEnvironment as runEnvironment } from '../../daemon/hooks/environment.js';
import { exitCode } from '../../daemon/process/sysexits.js';
import { hookEnvironment } from '../../daemon/runtime/hook-shell.js';
import type { Explanation } from '../../proto/explain-types.js';
import { pairOf, serviceOf } from '../balancer/console/views.js';
import { factsOf } from '../drill/support.js';
import { detailOf, listOf, probeOf } from './check-support.js';
import { DOUBLE, TIMELINE, VIEW } from './cluster-support.js';
import { entryOf } from './support.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = [path.resolve(here, '../../..'), process.cwd()].find((dir) => existsSync(path.join(dir, 'man')));
const pages = [
  'hastmon.conf.5',
  'ipvs-weightman.conf.5',
  'actions.conf.5',
  'hastmonctl.8',
  'hastmond.8',
] as const;

function page(name: (typeof pages)[number]): string {
  return readFileSync(path.join(root ?? '.', 'man', name), 'utf8');
}

/** The list item about a statement, up to the next one. */
function itemOf(statement: string): string {
  const items = page('hastmon.conf.5').split(/^\.It /m);
  const item = items.find((text) => new RegExp(`^Ic ${statement}\\b`).test(text));
  assert.ok(item !== undefined, `hastmon.conf.5 has no item on ${statement}`);
  return item;
}

function lint(name: string): { status: number | null; stdout: string } | null {
  const { error, status, stdout } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', `man/${name}`], {
    cwd: root,
    encoding: 'utf8',
  });
  return error === undefined ? { status, stdout } : null;
}

describe('mandoc has nothing to say about', () => {
  for (const name of pages) {
    test(name, (t) => {
      const result = lint(name);
      if (result === null) return t.skip('mandoc is not installed');
      assert.deepEqual(result, { status: 0, stdout: '' });
    });
  }
});

describe('hastmon.conf(5)', () => {
  for (const { name } of RULES.values()) test(`has ${name}`, () => void itemOf(name));

  const defaults: [string, string][] = [
    ['attempts', String(DEFAULT_ATTEMPTS)],
    ['complaint_count', String(DEFAULT_COMPLAINT_COUNT)],
    ['priority', String(DEFAULT_PRIORITY)],
    ['control', `Pa ${DEFAULT_CONTROL.path}`],
    ['control_mode', `0${DEFAULT_CONTROL.mode.toString(8)}`],
    ['listen', `Cm ${DEFAULT_LISTEN}`],
    ['state_dir', `Pa ${DEFAULT_STATE_DIR}`],
    ['watchdog_timeout', formatDuration(DEFAULT_WATCHDOG_TIMEOUT_MS)],
    ['timeout', formatDuration(DEFAULT_TIMES.timeoutMs)],
    ['heartbeat_interval', formatDuration(DEFAULT_TIMES.heartbeatIntervalMs)],
    ['complaint_interval', formatDuration(DEFAULT_TIMES.complaintIntervalMs)],
    ['start_timeout', formatDuration(DEFAULT_TIMES.startTimeoutMs)],
    ['stop_timeout', formatDuration(DEFAULT_TIMES.stopTimeoutMs)],
    ['status_timeout', formatDuration(DEFAULT_TIMES.statusTimeoutMs)],
    ['fence_timeout', formatDuration(DEFAULT_TIMES.fenceTimeoutMs)],
    ['drift', formatPercent(DEFAULT_TIMES.driftPpm)],
  ];
  for (const [name, value] of defaults)
    test(`has the default of ${name}`, () =>
      assert.match(itemOf(name), new RegExp(`; default ${value.replaceAll('.', '\\.')}$`, 'm')));

  const ranged = [...RULES.values()].filter(
    ({ argument }) => argument === 'duration' || argument === 'percent',
  );
  for (const { name, argument } of ranged) {
    test(`has the limits of ${name}`, () => {
      const tooMuch = argument === 'duration' ? '1000000h' : '100000%';
      const text = `${name} ${tooMuch}\nresource r { exec /r\non a { remote none } }\n`;
      const { diagnostics } = parseConfig(text, 'x', () => ({ ok: false, reason: '' }), { hostname: 'a' });
      const help = diagnostics.find(({ line }) => line === 1)?.help ?? '';
      const range = / from (\S+ to \S+)$/.exec(help)?.[1];
      assert.ok(range !== undefined, `no limits in: ${help}`);
      assert.ok(itemOf(name).replaceAll('\n', ' ').includes(range), `${name}: ${range}`);
    });
  }

  test('its examples are configurations', () => {
    const blocks = [...page('hastmon.conf.5').matchAll(/^\.Bd -literal.*\n([\s\S]*?)^\.Ed/gm)]
      .map(([, block = '']) => block)
      .filter((block) => /^\tremote|remote 1/m.test(block) || block.includes('exec'));
    assert.equal(blocks.length, 2);
    for (const block of blocks) {
      const noIncludes = () => ({ ok: false as const, reason: '' });
      const { config, diagnostics } = parseConfig(block, 'x', noIncludes, { hostname: 'alpha' });
      assert.deepEqual(diagnostics, []);
      assert.equal(config?.resources[0]?.voters.length, 3);
    }
  });
});

/** The long and short options of a help text. */
function optionsOf(help: string): string[] {
  return [...help.matchAll(/^ +(?:-(\w), )?\s*--([a-z-]+)/gm)].flatMap(([, short, long]) =>
    [short, long === undefined ? undefined : `-${long}`].filter((word) => word !== undefined),
  );
}

function hasOption(text: string, option: string): boolean {
  const escaped = option.replace('-', '\\\\?-');
  return new RegExp(`^\\.It Fl (?:.* , Fl )?${escaped}(?: |$)`, 'm').test(text);
}

describe('hastmonctl(8)', () => {
  const text = page('hastmonctl.8');
  const help = async (...words: string[]): Promise<string> => {
    const read = await readArguments([...words, '--help']);
    return read.kind === 'print' ? read.text : '';
  };

  test('has every command and every option', async () => {
    const commands = [...(await help()).matchAll(/^ {2}hastmonctl (\w+)/gm)].map(([, name = '']) => name);
    assert.equal(commands.length, 25);
    for (const command of commands) {
      assert.match(text, new RegExp(`^\\.It Cm ${command}\\b`, 'm'), `the command ${command}`);
      assert.match(text, new RegExp(`^\\.Nm\\n\\.Cm ${command}$`, 'm'), `the synopsis of ${command}`);
      for (const option of optionsOf(command === 'completion' ? '' : await help(command)))
        assert.ok(hasOption(text, option), `the option -${option} of ${command}`);
    }
    for (const words of ['balancer diff', 'balancer reload', 'balancer adopt']) {
      assert.match(text, new RegExp(`^\\.It Cm ${words}\\b`, 'm'), `the command ${words}`);
      for (const option of optionsOf(await help(...words.split(' '))))
        assert.ok(hasOption(text, option), `the option -${option} of ${words}`);
    }
    for (const words of ['check run', 'check ack', 'check mute', 'check unmute', 'alert test']) {
      assert.match(text, new RegExp(`^\\.It .*Cm ${words} Ar name`, 'm'), `the command ${words}`);
      for (const option of optionsOf(await help(...words.split(' '))))
        assert.ok(hasOption(text, option), `the option -${option} of ${words}`);
    }
  });

  test('has every name of JSON', () => {
    const names = (value: unknown): string[] =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([name, inner]) => [
            ...(Array.isArray(value) ? [] : [name]),
            ...names(inner),
          ])
        : [];
    const section = /^\.Sh JSON$([\s\S]*?)^\.Sh /m.exec(text)?.[1] ?? '';
    const documented = new Set(
      [...section.matchAll(/\.(?:It )?Va (.*)/g)].flatMap(([, v = '']) => v.split(/\W+/)),
    );
    const { entry, ...detail } = detailOf();
    const list = { ...listOf(entry), checks: [entry], entries: [] };
    const reports = [{ node: 'alpha', check: 'db', state: 'ok', ageMs: 1, forMs: 1 }];
    const rolled = {
      done: [{ host: '', tookMs: 1 }],
      failed: { host: '', why: '', off: true, putBack: '' },
      left: [],
    };
    const pair = pairOf({ ramp: { durationMs: 1, leftMs: 1 }, reasons: [{ name: '', by: '', age: 1 }] });
    const balancer = { hosts: [pair], services: [serviceOf()], note: '', line: '', text: '', ended: true };
    const alert = { alert: '', ok: true, lines: [] };
    const condition = {
      ...{ topic: '', name: '', holds: null, oneOf: '', enough: 1, what: '', value: '', needed: '' },
      ...{ ageMs: null, source: '', change: '' },
    };
    const explanation: Explanation = {
      ...{ subject: 'check', name: '', node: '', sentence: '', conditions: [condition] },
      verdicts: {
        running: true,
        promotion: true,
        staying: true,
        here: true,
        confirmed: true,
        told: true,
        ramp: true,
      },
    };
    const values = [entryOf({ reports }), list, detail, probeOf(), alert, rolled, balancer, explanation];
    const drilled = drillJson(compute({ asked: factsOf(), others: [], missing: [] }));
    const leg = { node: null, withoutServiceMs: null, expectedMs: null };
    const real = { resource: '', problem: '', end: '', interrupted: true, report: '', there: leg, back: leg };
    for (const value of [...values, VIEW, DOUBLE, TIMELINE, drilled, real])
      for (const name of names(value))
        assert.ok(name === 'entries' || documented.has(name), `the name ${name}`);
  });

  test('has every line of status', () => {
    const remarkable = entryOf({
      ...{ forced: true, roleSet: 'secondary', warnings: ['x'], lastError: 'x' },
      reports: [{ node: 'alpha', check: 'check_db', state: 'ok', ageMs: 1, forMs: 1 }],
    });
    const section = /^\.Sh STATUS$([\s\S]*?)^\.Sh /m.exec(text)?.[1] ?? '';
    return import('../../ctl/status.js').then(({ formatStatus }) => {
      for (const [, name = ''] of formatStatus(remarkable, false).matchAll(/^ {2}([a-z ]+):/gm))
        assert.match(section, new RegExp(`^\\.It Cm ${name}$`, 'm'), `the line ${name}`);
    });
  });
});

describe('hastmond(8)', () => {
  const text = page('hastmond.8');

  test('has every option', () => {
    const hastmond = path.resolve(here, '../../daemon/hastmond.js');
    const { stdout } = spawnSync(process.execPath, [hastmond, '--help'], { encoding: 'utf8' });
    const options = optionsOf(stdout);
    assert.ok(options.includes('P') && options.includes('-foreground'), stdout);
    for (const option of options) assert.ok(hasOption(text, option), `the option -${option}`);
  });

  test('has every action and variable of hooks', () => {
    const facts = { resource: 'r', node: 'a', role: 'primary', epoch: 1, primary: 'a', candidates: [] };
    const env = runEnvironment({}, { action: 'start', env: hookEnvironment(facts) }, 'mark');
    const names = Object.keys(env).filter((name) => name.startsWith('HASTMON_'));
    assert.equal(names.length, 8);
    for (const name of names) assert.match(text, new RegExp(`^\\.It Ev ${name}$`, 'm'));
    for (const action of ['start', 'stop', 'status', 'connect', 'disconnect', 'complain', 'role'])
      assert.match(text, new RegExp(`^\\.It Ar program Cm ${action} Ar resource`, 'm'));
  });

  test('exit statuses are those of sysexits(3)', () => {
    const known = Object.values(exitCode).map(String);
    for (const name of ['hastmond.8', 'hastmonctl.8'] as const) {
      const section = /^\.Sh EXIT STATUS$([\s\S]*?)^\.Sh /m.exec(page(name))?.[1] ?? '';
      const listed = [...section.matchAll(/^\.It (\d+)$/gm)].map(([, code = '']) => code);
      assert.ok(listed.length > 5);
      for (const code of listed) assert.ok(known.includes(code), code);
    }
  });
});
