// Runs the model of the lease (lease.pml) through spin: the claims, exhaustively; events that must be possible, or the
// claims would say nothing; and mutations, each of which takes one rule out and must be found. Works in a temporary
// directory and leaves nothing behind.
//
//   node test/model/check.mjs                 everything, one core, about a minute
//   node test/model/check.mjs --deep          larger bounds for the claims, half an hour and up to 4 GiB
//   node test/model/check.mjs --story NAME    how one mutation or event comes about, step by step, as short as can be
//
// Exit status: 0 all is as expected, 1 something is not, 64 usage, 69 spin or gcc is missing.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const memoryMiB = 4000;

/** What is true of the protocol. P2 is claimed as it stands with HISTORY, else in the form that claims.pml explains. */
const claims = [
  { what: 'P1 to P4, three attempts at once', macros: ['ATTEMPTS=3'] },
  { what: 'P2 as it stands, two attempts at once', macros: ['ATTEMPTS=2', 'HISTORY'] },
  { what: 'clocks that skip ticks', macros: ['ATTEMPTS=2', 'SKIP_TICKS'] },
  { what: 'voters that lose their disk', macros: ['ATTEMPTS=2', 'DISK_LOSS'] },
];

const deepClaims = [
  { what: 'P1 to P4, four attempts at once', macros: ['ATTEMPTS=4'] },
  { what: 'finer times: lease 3, stop 2', macros: ['ATTEMPTS=3', 'LEASE=3', 'STOP=2'] },
  { what: 'P2 as it stands, three attempts at once', macros: ['ATTEMPTS=3', 'HISTORY'] },
  { what: 'clocks that skip ticks, P2 as it stands', macros: ['ATTEMPTS=2', 'SKIP_TICKS', 'HISTORY'] },
  { what: 'voters that lose their disk, P2 as it stands', macros: ['ATTEMPTS=2', 'DISK_LOSS', 'HISTORY'] },
];

/** `depth`: where the search is cut, in spin's steps; deep enough to find the event, and chosen so that it takes no time. */
const events = [
  { name: 'REACH_RENEWAL', depth: 44, what: 'a lease is renewed before it ends' },
  { name: 'REACH_FAILOVER', depth: 78, what: 'the other node holds after a holder ended without a release' },
  { name: 'REACH_HANDOVER', depth: 62, what: 'the other node holds in the same tick, by release' },
  { name: 'REACH_RESTART', depth: 48, what: 'a voter that restarted renews its holder at once' },
  { name: 'REACH_LATE', depth: 38, what: 'a request given up long ago still binds a voter' },
  { name: 'REACH_TIGHT', depth: 40, what: 'the resource runs to the last tick of the last grant' },
];

/** `finds`: the claim that falls. */
const mutations = [
  {
    name: 'GRANT_WITHOUT_STOP',
    depth: 88,
    finds: 'P1',
    what: 'the grant does not outlast the lease by the stop',
  },
  { name: 'NO_DRIFT', depth: 88, finds: 'P1', what: 'the grant has no term for the clocks' },
  {
    name: 'NO_DRIFT',
    depth: 74,
    finds: 'P1',
    what: 'the same, with clocks that skip ticks',
    macros: ['SKIP_TICKS'],
  },
  { name: 'LEASE_FROM_ANSWER', depth: 84, finds: 'P1', what: 'the lease counts from when the answers came' },
  { name: 'NO_DURABLE_EPOCH', depth: 50, finds: 'P1', what: 'a restarted voter has forgotten everything' },
  {
    name: 'NO_RESTART_WAIT',
    depth: 52,
    finds: 'P1',
    what: 'a restarted voter does not wait out the stored grant',
  },
  { name: 'STORE_AFTER_ANSWER', depth: 50, finds: 'P1', what: 'the voter answers first and stores later' },
  { name: 'GRANT_TWO', depth: 46, finds: 'P1', what: "the voter grants while another's grant is in force" },
  {
    name: 'STALE_EPOCH',
    depth: 58,
    finds: 'P2',
    what: 'the voter grants epochs below its epochMax',
    macros: ['HISTORY'],
  },
  { name: 'MINORITY', depth: 44, finds: 'P1', what: 'one vote of three is enough' },
  {
    name: 'COUNT_OLD_ANSWERS',
    depth: 76,
    finds: 'P1',
    what: 'answers to older requests count as if to the latest',
  },
  { name: 'COUNT_OTHER_EPOCHS', depth: 98, finds: 'P1', what: 'answers to an earlier attempt count' },
  {
    name: 'RELEASE_BEFORE_STOPPED',
    depth: 56,
    finds: 'P1',
    what: 'the release is sent when the stop begins',
  },
  { name: 'RENEW_RELEASED', depth: 44, finds: 'P4', what: 'a late renewal binds a voter after the release' },
  {
    name: 'LEARN_WITHOUT_WAIT',
    depth: 70,
    finds: 'P1',
    what: 'a voter without state learns but does not wait',
    macros: ['DISK_LOSS'],
  },
  {
    name: 'RENEW_BEFORE_WAIT',
    depth: 64,
    finds: 'P1',
    what: 'such a voter renews what it learned of at once',
    macros: ['DISK_LOSS'],
  },
  {
    name: 'LEARN_BEFORE_WAIT',
    depth: 110,
    finds: 'P2',
    what: 'such a voter learns before its wait is over, not after',
    macros: ['DISK_LOSS', 'HISTORY'],
  },
  {
    name: 'WORLD_SLOWER_CLOCK',
    depth: 76,
    finds: 'P1',
    what: 'assumption broken: a clock is slower than the bound',
  },
  {
    name: 'WORLD_LONGER_STOP',
    depth: 104,
    finds: 'P1',
    what: 'assumption broken: a stop takes longer than its budget',
  },
];

const work = mkdtempSync(path.join(os.tmpdir(), 'hastmon-model-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));
process.exitCode = main(process.argv.slice(2));

function main(words) {
  for (const file of readdirSync(here)) {
    if (file.endsWith('.pml')) copyFileSync(path.join(here, file), path.join(work, file));
  }
  for (const tool of ['spin', 'gcc']) {
    if (spawnSync(tool, ['--version']).error)
      return fail(69, `${tool} is not installed: apt-get install spin gcc`);
  }
  if (words.length === 0) return everything();
  if (words[0] === '--deep' && words.length === 1) return checkClaims(deepClaims, 40_000_000) ? 0 : 1;
  if (words[0] === '--story' && words.length === 2) return story(words[1]);
  return fail(64, 'usage: check.mjs [--deep | --story NAME]');
}

function fail(status, text) {
  console.error(`model: ${text}`);
  return status;
}

function everything() {
  const begin = Date.now();
  const good = [checkClaims(claims, 6_000_000), checkEvents(), checkMutations()];
  console.log(`\n${((Date.now() - begin) / 1000).toFixed(0)} s in all`);
  return good.every(Boolean) ? 0 : 1;
}

/** Every state within the bounds: no sampling, no bitstate hashing, no partial order reduction. */
function checkClaims(list, depth) {
  console.log(
    '\nClaims, exhaustive: never two running (P1), epochs increase (P2), stopped before the grants end (P3),',
  );
  console.log('what was released binds nobody (P4)\n');
  row(['', 'states', 'transitions', 'depth', 'MiB', 's', '']);
  let good = true;
  for (const claim of list) {
    build(claim.macros, ['-O2']);
    const found = verify(['-w25', `-m${depth}`]);
    const holds = found.errors === 0 && found.complete;
    good &&= holds;
    const verdict = holds ? 'holds' : found.complete ? `VIOLATED: ${found.claim}` : 'NOT FINISHED';
    row([claim.what, found.states, found.transitions, found.depth, found.mib, found.seconds, verdict]);
  }
  return good;
}

function checkEvents() {
  console.log('\nEvents that must be possible\n');
  row(['', 'name', '', 'steps', '', 'events', '']);
  let good = true;
  for (const event of events) {
    const found = within([event.name, 'ATTEMPTS=2', 'NAMES'], event.depth);
    good &&= found !== null;
    row([
      event.what,
      event.name,
      '',
      found?.steps ?? '',
      '',
      found?.story.length ?? '',
      found ? 'found' : 'NOT FOUND',
    ]);
  }
  return good;
}

function checkMutations() {
  console.log('\nMutations, each of which must be found\n');
  row(['', 'name', '', 'steps', '', 'events', '']);
  let good = true;
  for (const mutation of mutations) {
    const found = within([...macrosOf(mutation), 'ATTEMPTS=2'], mutation.depth);
    const right = found?.claim === mutation.finds;
    good &&= right;
    const verdict =
      found === null
        ? 'NOT FOUND'
        : right
          ? `found: ${found.claim}`
          : `FOUND ${found.claim}, NOT ${mutation.finds}`;
    row([mutation.what, mutation.name, '', found?.steps ?? '', '', found?.story.length ?? '', verdict]);
  }
  return good;
}

function story(name) {
  const one = [...mutations, ...events].find((entry) => entry.name === name);
  if (one === undefined) return fail(64, `no mutation or event is called ${name}`);
  const found = shortest('finds' in one ? macrosOf(one) : [name], 100);
  if (found === null) return fail(1, `${name} was not found`);
  console.log(`${name}: ${one.what}\n`);
  for (const line of found.story) console.log(`  ${line}`);
  console.log(`\n${found.claim || 'reached'}`);
  return 0;
}

function macrosOf(mutation) {
  return ['MUTATION', mutation.name, ...(mutation.macros ?? [])];
}

/** A trail no longer than `depth`, null where there is none. */
function within(macros, depth) {
  build(macros, ['-O0']);
  const found = verify(['-w22', `-m${depth}`]);
  return found.errors > 0 ? { ...found, ...replay(macros) } : null;
}

/** The shortest trail, with voters and holders keeping their names. */
function shortest(macros, depthMax) {
  const all = [...macros, 'ATTEMPTS=2', 'NAMES'];
  build(all, ['-O2', '-DREACH']);
  for (let depth = 20; depth <= depthMax; depth += 4) {
    const found = verify(['-w23', `-m${depth}`]);
    if (found.errors > 0) return { ...found, ...replay(all) };
  }
  return null;
}

function build(macros, options) {
  const defines = macros.map((macro) => `-D${macro}`);
  tool('spin', [...defines, '-a', 'lease.pml']);
  tool('gcc', ['-w', '-DSAFETY', '-DNOREDUCE', `-DMEMLIM=${memoryMiB}`, ...options, '-o', 'pan', 'pan.c']);
}

function verify(options) {
  rmSync(path.join(work, 'lease.pml.trail'), { force: true });
  const begin = Date.now();
  const { stdout } = spawnSync('./pan', ['-n', ...options], {
    cwd: work,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  const number = (pattern) => Number(pattern.exec(stdout)?.[1] ?? Number.NaN);
  const violated = /assertion violated (.*) \(at depth/.exec(stdout)?.[1] ?? '';
  return {
    errors: number(/errors: (\d+)/),
    complete:
      !/too small|not completed|out of memory|reached -DMEMLIM/.test(stdout) && /elapsed time/.test(stdout),
    claim: propertyOf(violated),
    states: number(/(\S+) states, stored/),
    transitions: number(/(\S+) transitions/),
    depth: number(/depth reached (\d+)/),
    mib: Math.round(number(/(\S+)\s+total actual memory usage/)),
    seconds: ((Date.now() - begin) / 1000).toFixed(1),
  };
}

function propertyOf(assertion) {
  if (assertion.includes('runs[0]&&runs[1]')) return 'P1';
  if (assertion.includes('last') || assertion.includes('epochMax')) return 'P2';
  if (assertion.includes('released')) return 'P4';
  return assertion === '' ? '' : assertion.includes('left') ? 'P3' : assertion;
}

/** What happened on the way: the model tells it by printf when a trail is replayed. */
function replay(macros) {
  const out = tool('spin', [...macros.map((macro) => `-D${macro}`), '-t', 'lease.pml']);
  const lines = out.split('\n').map((line) => line.trim());
  return {
    steps: Number(/trail ends after (\d+) steps/.exec(out)?.[1] ?? Number.NaN),
    story: lines.filter((line) => /^(holder|voter|a tick)/.test(line)),
  };
}

function tool(name, args) {
  const { status, stdout, stderr } = spawnSync(name, args, {
    cwd: work,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`${name} ${args.join(' ')} failed:\n${stdout}${stderr}`);
  return stdout;
}

function row(cells) {
  const widths = [60, 24, 12, 8, 5, 6];
  const line = cells.map((cell, n) =>
    n === 0 || n === 6 ? String(cell).padEnd(widths[n] ?? 0) : String(cell).padStart(widths[n] ?? 0),
  );
  console.log(line.join(' ').trimEnd());
}
