// In the virtual machine: hastmond with its balancer under real traffic through the real kernel. The scenes follow each other in one life of
// the network; three loads go on all the time: new connections by NAT and by direct routing, and connections that are kept. Prints TAP.
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { after, before, test } from 'node:test';
import {
  activeOn,
  type Console,
  configure,
  type Daemon,
  openConsole,
  startDaemon,
  tableIn,
  until,
  weightsAre,
  weightsIn,
  writeVirtualServices,
} from './director.js';
import { FIGURES_AT, figuresAgree } from './figures.js';
import {
  buildNetwork,
  clockMs,
  DIRECT,
  end,
  giveAddresses,
  NAT,
  type ServerName,
  startServer,
} from './lab.js';
import { type Failure, type Load, startLoad, unfair } from './load.js';

const FULL = { s1: 40, s2: 30, s3: 20, s4: 10 };
const servers = new Map<ServerName, ChildProcess>();
let loads: { nat: Load; direct: Load; kept: Load };
let daemon: Daemon;
let session: Console | undefined;

before(async () => {
  buildNetwork();
  giveAddresses('a');
  for (const name of ['s1', 's2', 's3', 's4', 'sorry'] as const) servers.set(name, startServer(name));
  configure('a', FULL, `http ${FIGURES_AT}`);
  daemon = await startDaemon('a', true);
  await weightsAre('a', FULL);
  await weightsAre('a', FULL, DIRECT);
  // Alone at first, so that every server has some: beside a load of the same service, each fifth connection in a round of ten may be for
  // the same server every time.
  const kept = startLoad({ mode: 'keep', address: NAT, connections: 10, everyMs: 500 });
  await kept.answers(10);
  loads = {
    nat: startLoad({ mode: 'new', address: NAT, connections: 8, everyMs: 100 }),
    direct: startLoad({ mode: 'new', address: DIRECT, connections: 8, everyMs: 100 }),
    kept,
  };
});

const hangUp = (): void => {
  session?.close();
  session = undefined;
};

after(async () => {
  hangUp();
  for (const load of Object.values(loads)) await load.stop();
  await end(daemon.main);
  await daemon.gone();
  for (const child of servers.values()) await end(child);
});

function ask(line: string): Promise<string> {
  session ??= openConsole('a');
  return session.ask(line);
}

/** Those of the server that was killed. */
const excused = new Set<Failure>();
const failures = (): Failure[] => Object.values(loads).flatMap((load) => [...load.failures]);

/** None of the requests fails that begin from here on. */
function watch(): () => void {
  const since = clockMs();
  return () =>
    assert.deepEqual(
      failures().filter(({ began }) => began > since),
      [],
    );
}

/** They build on each other: after one that fails, the others would say nothing. */
let failed = false;
function scene(title: string, play: () => Promise<void>): void {
  test(title, async (t) => {
    if (failed) return t.skip('the one before has failed');
    failed = true;
    await play();
    failed = false;
  });
}

/** By NAT and by direct routing, requests that begin now are shared out by these weights. */
async function shared(weights: Record<string, number>): Promise<void> {
  const since = clockMs();
  await Promise.all([loads.nat.answers(250), loads.direct.answers(250)]);
  const unfairOnes = {
    nat: unfair(loads.nat.counts(since), weights),
    direct: unfair(loads.direct.counts(since), weights),
  };
  assert.deepEqual(unfairOnes, { nat: '', direct: '' });
}

scene('weights of the file: the share of each server follows them', async () => {
  const nothingFails = watch();
  await shared(FULL);
  nothingFails();
});

scene('killed: only what was under way to that server fails, and it comes back gradually', async () => {
  const keptThere = loads.kept.connectionsOf('s1');
  assert.ok(keptThere.size > 0 && keptThere.size < 10, `${keptThere.size} of 10 kept connections are on s1`);
  const killedAt = clockMs();
  await end(servers.get('s1') as ChildProcess);
  await weightsAre('a', { s1: 0 });
  await weightsAre('a', { s1: 0 }, DIRECT);
  const noticedAt = clockMs();
  const nothingFails = watch();
  await shared({ ...FULL, s1: 0 });
  nothingFails();
  const lost = failures();
  assert.ok(lost.length > 0, 'nobody was on it');
  for (const one of lost) {
    if (loads.kept.failures.includes(one)) assert.ok(keptThere.has(one.connection), JSON.stringify(one));
    else
      assert.ok(one.began <= noticedAt && one.at >= killedAt, JSON.stringify({ one, killedAt, noticedAt }));
    assert.match(one.why, /^(refused|reset|closed|cut)$/);
    excused.add(one);
  }
  assert.ok(noticedAt - killedAt < 8000, `noticed after ${noticedAt - killedAt} ms`);
  // It is away for TriggerTime.
  await until('TriggerTime', () => clockMs() - noticedAt > 4500);
  const back = watch();
  servers.set('s1', startServer('s1'));
  const seen: number[] = [];
  await until('the full weight', () => {
    const weight = weightsIn('a').s1 ?? 0;
    if (weight !== seen.at(-1)) seen.push(weight);
    return weight === FULL.s1;
  });
  assert.ok(seen.length > 2, `gradually: ${seen.join(' ')}`);
  assert.deepEqual(
    seen,
    [...seen].sort((a, b) => a - b),
  );
  await shared(FULL);
  back();
});

scene('disabled, drained, and enabled with a ramp: no request fails', async () => {
  const nothingFails = watch();
  await ask('set host s2 off for vs www,direct for deploy');
  const since = clockMs();
  await shared({ ...FULL, s2: 0 });
  assert.equal(loads.nat.counts(since).get('s2'), undefined);
  assert.match(await ask('show host s2 for www'), /Disabled=1 Reasons="deploy".* TStatus=0-DISABLED/);
  const off = await figuresAgree('a');
  assert.deepEqual(
    ['www', 'direct'].map((tag) => [
      off.states.get(`s2/${tag}`),
      off.wanted.get(`s2/${tag}`),
      off.kernel.get(`s2/${tag}`),
    ]),
    [
      ['disabled', 0, 0],
      ['disabled', 0, 0],
    ],
  );
  assert.equal(off.full.get('s2/www'), FULL.s2);
  // The kept connections live on; without them it would be drained.
  const kept = loads.kept.connectionsOf('s2').size;
  await until('only kept connections on s2', () => activeOn('a', 's2') <= kept);
  await until('none by direct routing', () => activeOn('a', 's2', DIRECT) === 0);
  await ask('set host s2 on for vs www,direct for deploy in 10');
  const seen: string[] = [];
  const ramp = new Set<number>();
  await until('0-DONE', async () => {
    const { states, wanted } = await figuresAgree('a');
    if (states.get('s2/www') === 'ramping') ramp.add(wanted.get('s2/www') ?? 0);
    const status = /Combined\.TStatus=(\S+)/.exec(await ask('show host s2 for www,direct'))?.[1] ?? '';
    if (status !== seen.at(-1)) seen.push(status);
    return status === '0-DONE';
  });
  assert.ok(
    seen.some((status) => status.includes('1-RAMPING-')),
    seen.join(' '),
  );
  assert.ok(
    [...ramp].some((weight) => weight > 0 && weight < FULL.s2),
    `on the way in /metrics: ${[...ramp].join(' ')}`,
  );
  await weightsAre('a', FULL);
  const done = await figuresAgree('a');
  for (const [name, weight] of Object.entries(FULL))
    assert.deepEqual([done.wanted.get(`${name}/www`), done.kernel.get(`${name}/www`)], [weight, weight]);
  await shared(FULL);
  nothingFails();
});

scene('sorry server in and out: no request fails', async () => {
  const nothingFails = watch();
  for (const name of Object.keys(FULL)) await ask(`set host ${name} off`);
  await weightsAre('a', { s1: 0, s2: 0, s3: 0, s4: 0, sorry: 1 });
  await weightsAre('a', { s1: 0, s2: 0, s3: 0, s4: 0 }, DIRECT);
  await shared({ sorry: 1 });
  for (const name of Object.keys(FULL)) await ask(`set host ${name} on in 0`);
  await weightsAre('a', FULL);
  await shared(FULL);
  await until('the sorry server to be gone', () => weightsIn('a').sorry === undefined);
  await shared(FULL);
  nothingFails();
});

scene('a server leaves the file, another weight comes in: no request fails', async () => {
  const nothingFails = watch();
  const { s4: _, ...rest } = FULL;
  writeVirtualServices('a', { ...rest, s1: 10 });
  await weightsAre('a', { s1: 10, s2: 30, s3: 20 });
  await until('s4 to have no weight', () => (weightsIn('a').s4 ?? 0) === 0);
  await shared({ s1: 10, s2: 30, s3: 20 });
  writeVirtualServices('a', FULL);
  await weightsAre('a', FULL);
  await shared(FULL);
  nothingFails();
});

/** The table as it is, looked at all the while: nothing of it may change. */
async function unchanged(work: () => Promise<void>): Promise<void> {
  const image = (): string =>
    JSON.stringify(
      [...tableIn('a')]
        .map(([key, { servers: list }]) => [
          key,
          [...list].map(([name, { weight }]) => [name, weight]).sort(),
        ])
        .sort(),
    );
  const first = image();
  let busy = true;
  const looking = (async () => {
    while (busy) {
      assert.equal(image(), first);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  await work().finally(() => {
    busy = false;
  });
  await looking;
}

const disabled = async (): Promise<void> => {
  assert.match(await ask('show host s3 for www'), /Disabled=1 Reasons="keep".* Weight=20 /);
};

scene('restart: the table stays, what is disabled stays so, no request fails [B10]', async () => {
  const nothingFails = watch();
  await ask('set host s3 off for vs www for keep');
  await weightsAre('a', { ...FULL, s3: 0 });
  hangUp();
  await unchanged(async () => {
    daemon.main.kill('SIGTERM');
    await daemon.gone();
    daemon = await startDaemon('a', true);
    await disabled();
  });
  nothingFails();
});

scene('the balancer is killed: another one goes on, no request fails [B10]', async () => {
  const nothingFails = watch();
  hangUp();
  const [pid] = daemon.pids('ipvs (balancer)');
  assert.ok(pid !== undefined);
  await unchanged(async () => {
    process.kill(pid, 'SIGKILL');
    await until('another balancer', () => daemon.pids('ipvs (balancer)').some((one) => one !== pid));
    await until('the console', () => /the console listens[\s\S]*the console listens/.test(daemon.log()));
    await disabled();
  });
  nothingFails();
});

scene('hastmond is killed: the table stays, a new one goes on, no request fails [B10]', async () => {
  const nothingFails = watch();
  hangUp();
  await unchanged(async () => {
    daemon.main.kill('SIGKILL');
    await daemon.gone();
    daemon = await startDaemon('a', true);
    await disabled();
  });
  await ask('set host s3 on for vs www for keep in 0');
  await weightsAre('a', FULL);
  await shared(FULL);
  nothingFails();
});

scene(
  'every process of hastmond is killed at once, in the middle of a deployment: no request fails [B10]',
  async () => {
    const nothingFails = watch();
    await ask('set host s3 off for vs www for keep');
    await weightsAre('a', { ...FULL, s3: 0 });
    hangUp();
    await unchanged(async () => {
      for (const pid of daemon.pids('hastmon')) process.kill(pid, 'SIGKILL');
      await daemon.gone();
      daemon = await startDaemon('a', true);
      await disabled();
    });
    nothingFails();
    // Kept connections have lived through all of it, but for those on the server that was killed.
    for (const load of Object.values(loads)) await load.stop();
    assert.deepEqual(
      failures().filter((one) => !excused.has(one)),
      [],
    );
  },
);
