/** actions.conf and checks.conf: what their lines mean, and every error of them with its place. */
import assert from 'node:assert/strict';
import { chmodSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { readActions } from '../../daemon/actions/read.js';
import { createReporter } from '../../daemon/config/diagnostic.js';
import { ROOT } from '../config/support.js';
import { loadPlan, placeFor } from './support.js';

/** The files of the ancestor's description. */
const ACTIONS = '[slave_to_master]\nstopservice1\nunplumb\nplumb %MASTER%\nstartservice1\n';
const CHECKS = '[local]\ncheck_db_host1\ncheck_db_host2\n';

test("the description's two files", (t) => {
  const place = placeFor(t);
  for (const name of [
    'stopservice1',
    'unplumb',
    'plumb',
    'startservice1',
    'check_db_host1',
    'check_db_host2',
  ])
    place.script(name, 'exit 0');
  const { plan, shown } = loadPlan(place, ACTIONS, CHECKS);
  assert.match(
    shown,
    /^actions\.conf: warning: resource 'db': nothing is run to stop it\n {2}what its start/,
  );
  assert.deepEqual(
    plan?.sections.map(({ on }) => on),
    [{ kind: 'change', from: 'secondary', to: 'primary' }],
  );
  assert.deepEqual(plan?.sections[0]?.commands[2], {
    ...{ line: 4, program: place.file('plumb'), words: ['plumb', '%MASTER%'], timeoutMs: 30_000 },
  });
  assert.deepEqual(
    plan?.checks.map(({ name, node, intervalMs, status, command }) => [
      name,
      node,
      intervalMs,
      status,
      command.timeoutMs,
    ]),
    [
      ['check_db_host1', '', 5000, true, 4000],
      ['check_db_host2', '', 5000, true, 4000],
    ],
  );
});

test('limits that never count, sections that never run, and times in which no list can run', (t) => {
  const place = placeFor(t);
  place.script('x', 'exit 0');
  const actions = `[slave_to_master]
timeout=9s x
timeout=9100ms x
[*_to_slave]
timeout=3500ms x
timeout=3501ms x
[ok_to_bad]
timeout=1h x
[*_to_*]
[status]
timeout=2s x
[ok_to_master]
[init_to_master]
[ok_to_ok]
`;
  const { shown } = loadPlan(
    place,
    actions,
    '[local]\ntimeout=2s x\ntimeout=2s status=no name=y x\n',
    'start_timeout 10s\n  status_timeout 2s',
  );
  const warnings = shown.split('\n').filter((line) => line.includes(': warning: '));
  assert.deepEqual(warnings, [
    "actions.conf:3:9: warning: '9100ms' is longer than the whole list has, which is 9s",
    "actions.conf:6:9: warning: '3501ms' is longer than the whole list has, which is 3.5s",
    'actions.conf:9:2: warning: this section runs at every change',
    "actions.conf:11:9: warning: '2s' is longer than the whole list has, which is 1.8s",
    "actions.conf:12:2: warning: 'ok_to_master' never happens",
    "actions.conf:13:2: warning: 'init_to_master' never happens",
    "actions.conf:14:2: warning: 'ok_to_ok' is no change: both are ok",
    "checks.conf:2:9: warning: '2s' is longer than the whole list has, which is 1.8s",
  ]);
  const short = loadPlan(
    place,
    '[*_to_*]\nx\n[status]\nx\n',
    '',
    'stop_timeout 400ms\n  status_timeout 300ms\n  fence /bin/true',
  ).shown;
  for (const said of [
    'stop_timeout 400ms leaves the list 280ms, and a list needs 300ms to run at all',
    'stop_timeout 400ms leaves the last status 80ms,',
    'status_timeout 300ms leaves a status 270ms,',
  ])
    assert.ok(short.includes(`warning: resource 'db': ${said}`), short);
});

test('words, quotes, comments, options, paths and the shell', (t) => {
  const place = placeFor(t);
  const text = [
    '# a comment, and a byte order mark is none of ours',
    '  [ MASTER_TO_SLAVE ]  # the stop',
    '\tstop  -x "a b" c\'d  e\'f  \\n "say \\"hi\\" \\\\" #not this',
    'timeout=1500ms sub/prog "#" x#y',
    'timeout=2s sh:   echo "%NODE%" | wc -c # the shell has this',
    '/bin/true',
    '[status]\r',
    'sh: true\r',
    '',
  ].join('\n');
  const { plan } = loadPlan(place, text, '', 'action_directory /opt/x action_timeout 7s');
  assert.deepEqual(plan?.sections, [
    {
      line: 2,
      on: { kind: 'change', from: 'primary', to: 'secondary' },
      commands: [
        {
          line: 3,
          program: '/opt/x/stop',
          words: ['stop', '-x', 'a b', 'cd  ef', '\\n', 'say "hi" \\'],
          timeoutMs: 7000,
        },
        { line: 4, program: '/opt/x/sub/prog', words: ['sub/prog', '#', 'x#y'], timeoutMs: 1500 },
        {
          line: 5,
          program: '',
          words: [`echo "\${HASTMON_NODE}" | wc -c # the shell has this`],
          timeoutMs: 2000,
        },
        { line: 6, program: '/bin/true', words: ['/bin/true'], timeoutMs: 7000 },
      ],
    },
    {
      line: 7,
      on: { kind: 'event', event: 'status' },
      commands: [{ line: 8, program: '', words: ['true'], timeoutMs: 7000 }],
    },
  ]);
});

test('every error of a file in one run, with its place', (t) => {
  const place = placeFor(t);
  const cases: [string, string][] = [
    ['plumb', '1:1: error: a command outside of every section'],
    ['[slave_to_mastr] x', '1:18: error: a command on the line of the section'],
    ['[slave', "1:1: error: the section's name has no end"],
    ['[statsu]', "1:2: error: 'statsu' is no section of this file"],
    ['[a_to_b_to_c]', "1:2: error: 'a_to_b_to_c' is no section of this file"],
    ['[status]\nplumb "a b', '2:7: error: the quoted word does not end on its line'],
    ['[status]\nplumb a\\ b', '2:8: error: a backslash quotes nothing here'],
    ['[status]\nplumb a\0b', '2:8: error: a null character, which no command can have'],
    ['[status]\nplumb 90%', '2:9: error: a percent sign alone'],
    ['[status]\nplumb %MASTR%', "2:7: error: the variable '%MASTR%' is not known here"],
    ['[status]\n%NODE%/x', "2:1: error: '%NODE%/x' cannot be a program's name"],
    ['[status]\nsh:', '2:1: error: nothing for the shell to run'],
    ["[status]\nsh: echo '%NODE%'", "2:11: error: the shell expands nothing between '…'"],
    ['[status]\ntimeout=soon x', "2:9: error: 'soon' is not a duration"],
    ['[status]\ntimeout=1ms x', "2:9: error: '1ms' is too small"],
    ['[status]\ntimeout=1s timeout=2s x', "2:12: error: 'timeout=' is there twice"],
    ['[status]\nretries=3 x', "2:1: error: 'retries=' is no option here"],
    ['[status]\ninterval=3s x', "2:1: error: 'interval=' is no option here"],
    ['[status]\ntimeout=3s', '2:1: error: an option without a command behind it'],
  ];
  for (const [text, message] of cases) {
    const { plan, shown } = loadPlan(place, text);
    assert.ok(shown.includes(`actions.conf:${message}`), `${text}\n${shown}`);
    assert.equal(plan, null);
  }
  const { shown } = loadPlan(place, cases.map(([text]) => text).join('\n'));
  assert.equal(shown.match(/: error: /g)?.length, cases.length, shown);
});

test('every error of checks.conf', (t) => {
  const place = placeFor(t);
  const cases: [string, string][] = [
    ['[nodex]\nc', "1:2: error: 'nodex' is no node of this resource"],
    ['[local]\nc\nc', "3:1: error: a second check 'c'"],
    ['[local]\nc\n[nodeA]\nc', "4:1: error: a second check 'c'"],
    ['[local]\nsh: true', "2:1: error: a check of the shell's has no name that it can be reported as"],
    ['[local]\nname=a/b c', "2:6: error: 'a/b' has no name that it can be reported as"],
    ['[local]\nstatus=maybe c', "2:8: error: 'maybe' is not known here"],
    ['[local]\nc %MASTER%', "2:3: error: the variable '%MASTER%' is not known here"],
  ];
  for (const [text, message] of cases) {
    const { shown } = loadPlan(place, '[status]\n/bin/true', text);
    assert.ok(shown.includes(`checks.conf:${message}`), `${text}\n${shown}`);
  }
  const nodes = loadPlan(
    place,
    '[status]\n/bin/true',
    '[nodeA]\nsh: x\n[NODEB]\nname=c c\n[nodec]\nname=c interval=1m c',
  );
  assert.match(nodes.shown, /2:1: error/);
  assert.doesNotMatch(nodes.shown, /second check/, 'nodes have checks of one name each');
});

test('what is not executable is a warning with its place', (t) => {
  const place = placeFor(t);
  place.write('plain', '');
  const { plan, shown } = loadPlan(
    place,
    '[slave_to_master]\nplain\nmissing\n/tmp\n[*_to_slave]\n[status]\n/bin/true',
  );
  assert.match(
    shown,
    /actions\.conf:2:1: warning: 'plain' is not executable\nplain\n\^~~~~\n {2}chmod \+x plain/,
  );
  assert.match(shown, /actions\.conf:3:1: warning: 'missing' does not exist/);
  assert.match(shown, /actions\.conf:4:1: warning: '\/tmp' is not a file/);
  assert.notEqual(plan, null);
});

test('a resource that nothing says the status of is refused; a node needs checks of its own', (t) => {
  const place = placeFor(t);
  const refused = /actions\.conf: error: resource 'db': nothing says on 'nodeA' whether it runs/;
  assert.match(loadPlan(place, ACTIONS).shown, refused);
  assert.match(loadPlan(place, `${ACTIONS}[status]\n`).shown, refused, 'an empty section');
  assert.match(loadPlan(place, ACTIONS, '[nodeB]\n/bin/true').shown, refused);
  assert.match(loadPlan(place, ACTIONS, '[local]\nstatus=no /bin/true').shown, refused);
  assert.match(loadPlan(place, ACTIONS, CHECKS, 'action_checks none').shown, refused);
  assert.doesNotMatch(loadPlan(place, ACTIONS, '[nodeA]\n/bin/true').shown, /error/);
});

test('a file that everybody may change is a warning', (t) => {
  const place = placeFor(t);
  place.write('checks.conf', '[local]\n/bin/true');
  chmodSync(place.file('checks.conf'), 0o666);
  assert.match(loadPlan(place, ACTIONS).shown, /^checks\.conf: warning: every user may change this file/m);
});

test('a file that cannot be read, and one that another statement names', (t) => {
  const place = placeFor(t);
  const missing = place.file('none');
  assert.match(
    loadPlan(place, ACTIONS, undefined, `action_checks ${missing}`).shown,
    /^none: error: cannot read it: no such file/m,
  );
  const other = place.write('other', '[local]\n/bin/true');
  const { plan } = loadPlan(place, ACTIONS, '[x', `action_checks ${other}`);
  assert.deepEqual([plan?.checksFile, plan?.checks.length], [other, 1]);
});

test('the samples are read as they are, and only their executables are missing', (t) => {
  const place = placeFor(t);
  const [actions, checks] = ['actions.conf', 'checks.conf'].map((name) =>
    readFileSync(path.join(ROOT, 'conf', name), 'utf8').replace('[gamma]', '[nodeC]'),
  );
  const { plan, shown } = loadPlan(place, actions ?? '', checks);
  const other = [...shown.matchAll(/^\S+: (?:error|warning): .*/gm)].filter(
    ([line]) => !line.includes('does not exist'),
  );
  assert.deepEqual(other, []);
  assert.deepEqual([plan?.sections.length, plan?.checks.length], [3, 4]);
});

test('no text upsets the reader, and a plan has no word that was not in its file', () => {
  const bits = [
    '[',
    ']',
    'slave_to_master',
    '\n',
    ' ',
    '"',
    "'",
    '#',
    '%',
    'NODE',
    'sh:',
    'timeout=',
    '1s',
    'x',
    '\\',
    '*_to_',
  ];
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(...bits), fc.string({ maxLength: 3 }))), (given) => {
      const text = given.join('');
      const reporter = createReporter();
      const file = { name: 'x', text, masks: new Map<number, number>() };
      const options = { directory: '/d', timeoutMs: 1, reporter, program: () => {}, limitOf: () => null };
      const sections = readActions(file, options);
      for (const { line, column } of reporter.finish()) {
        const lines = text.split('\n');
        assert.ok(line >= 1 && line <= lines.length && column <= (lines[line - 1]?.length ?? 0) + 1, text);
      }
      for (const word of sections.flatMap(({ commands }) => commands.flatMap(({ words }) => words)))
        for (const character of word.replaceAll('${HASTMON_', '').replaceAll('}', ''))
          assert.ok(text.includes(character), `${JSON.stringify(text)}: ${character}`);
    }),
  );
});
