// In the virtual machine: hastmond's balancer with what the scenes leave out: tunnels and IPv6 under traffic, the curves by which weights
// come back as the kernel's table shows them, and a quorum with hysteresis under traffic. Prints TAP.
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseProc } from '../../../daemon/balancer/ipvs/proc.js';
import { type SmtpServer, smtpServer } from '../../alerts/smtp-server.js';
import { type Console, type Daemon, openConsole, startDaemon, until } from './director.js';
import {
  buildNetwork,
  clockMs,
  end,
  giveAddresses,
  HERE,
  NAT,
  passes,
  SERVERS,
  type ServerName,
  SIX,
  sixOf,
  startServer,
  TUNNEL,
} from './lab.js';
import { startLoad, unfair } from './load.js';

type Weights = Readonly<Record<string, number>>;
const FULL: Weights = { s1: 40, s2: 30, s3: 20, s4: 10 };
const SERVICES = {
  ...{ tunnel: `${TUNNEL}:80`, six: `[${SIX}]:80`, quorum: `${NAT}:80` },
  ...{ weightman: `${NAT}:81`, linear: `${NAT}:82`, slowstart: `${NAT}:83` },
};
type Service = keyof typeof SERVICES;
const RAMP_MS = 6500;
const RAMP_FULL = 97;
const TRIGGER_MS = 1000;
/** Of each load. */
const PORTS = 20_000;

const servers = new Map<ServerName, ChildProcess>();
let mail: SmtpServer;
let daemon: Daemon;
let session: Console;
const ask = (line: string): Promise<string> => session.ask(line);

function writeConfiguration(): void {
  writeFileSync(
    '/run/a.conf',
    'balancer { config /run/a.vs }\non a { control /run/a.ctl ; listen tcp4://127.0.0.1 ; state_dir /var/lib/a }\n',
  );
  const ramped = ['weightman', 'linear', 'slowstart'] as const;
  const hosts = Object.entries(FULL).flatMap(([name, weight]) => [
    `${name} ${SERVERS[name as ServerName]} tunnel=${weight} quorum=${weight}`,
    `${name}-6 [${sixOf(name as ServerName)}] six=${weight}`,
  ]);
  writeFileSync(
    '/run/a.vs',
    `${[
      ...['DB=/run/a.db', 'IPVSADM=/usr/sbin/ipvsadm', `Email.SMTP=${HERE}:${mail.port}`],
      ...['Email.Headers.From=a@lab.example', 'Email.Headers.To=ops@lab.example'],
      `! tunnel ${SERVICES.tunnel} http://lab/ interval=1s,timeout=20s,method=ipip`,
      `! six ${SERVICES.six} http://lab/ interval=1s,timeout=20s`,
      `! quorum ${SERVICES.quorum} http://lab/ok interval=300ms,timeout=20s,quorum=60,hysteresis=10,email,sorry_server=sorry`,
      ...ramped.map(
        (curve) =>
          `! ${curve} ${SERVICES[curve]} - curve=${curve},ramp=${RAMP_MS}ms,ramp_trigger=${TRIGGER_MS}ms`,
      ),
      ...hosts,
      `slow 10.2.0.40 ${ramped.map((curve) => `${curve}=${RAMP_FULL}`).join(' ')}`,
      `sorry ${SERVERS.sorry}`,
    ].join('\n')}\n`,
  );
}

before(async () => {
  buildNetwork();
  giveAddresses('a');
  for (const name of ['s1', 's2', 's3', 's4', 'sorry'] as const) servers.set(name, startServer(name));
  // It ends with the program.
  mail = await smtpServer({ after: () => {} } as unknown as TestContext, {}, HERE);
  writeConfiguration();
  daemon = await startDaemon('a', true);
  session = openConsole('a');
  for (const service of ['tunnel', 'six', 'quorum'] as const) await weightsAre(service, FULL);
});

after(async () => {
  session?.close();
  await mail?.down();
  await end(daemon.main);
  await daemon.gone();
  for (const child of servers.values()) await end(child);
});

/** The weights by server as the kernel has them. No process is started for it: that takes longer than what is looked at. */
function weightsIn(service: Service): Weights {
  const table = parseProc(readFileSync(`/proc/${daemon.main.pid}/net/ip_vs`, 'latin1'));
  const known = new Map<string, string>([['10.2.0.40:80', 'slow']]);
  for (const [name, address] of Object.entries(SERVERS)) {
    known.set(`${address}:80`, name);
    known.set(`[${sixOf(name as ServerName)}]:80`, name);
  }
  const list = [...(table?.get(`-t ${SERVICES[service]}`)?.servers ?? [])];
  return Object.fromEntries(
    list.map(([key, { weight }]) => [known.get(key.replace(/:8[0-9]$/, ':80')) ?? key, weight]),
  );
}

/** The kernel has these servers with these weights in it, and no others. */
async function weightsAre(service: Service, wanted: Weights): Promise<void> {
  const sorted = (weights: Weights): string => JSON.stringify(Object.entries(weights).sort());
  await until(
    `${service} to have ${sorted(wanted)}`,
    () => sorted(weightsIn(service)) === sorted(wanted),
  ).catch((error: Error) => {
    throw new Error(`${error.message}: it has ${sorted(weightsIn(service))}`);
  });
}

/** What has come out of the server's tunnel. */
function packetsThrough(name: string): number {
  const text = execFileSync('ip', ['-n', name, '-s', '-j', 'link', 'show', 'tunl0'], { encoding: 'utf8' });
  return JSON.parse(text)[0].stats64.rx.packets;
}

for (const { service, address, suffix } of [
  { service: 'tunnel', address: TUNNEL, suffix: '' },
  { service: 'six', address: SIX, suffix: '-6' },
] as const)
  test(`${service}: shares follow the weights, those of the file and those that are set; no request fails`, async (t) => {
    const load = startLoad({ mode: 'new', address, connections: 15, everyMs: 30, ports: PORTS });
    t.after(() => load.stop());
    for (const weights of [FULL, { s1: 10, s2: 30, s3: 0, s4: 70 }]) {
      for (const [name, weight] of Object.entries(weights))
        if (weight !== FULL[name]) await ask(`set host ${name}${suffix} weight ${weight} for vs ${service}`);
      await weightsAre(service, weights);
      const since = clockMs();
      await load.answers(300);
      assert.equal(unfair(load.counts(since), weights), '');
    }
    await load.stop();
    assert.deepEqual(load.failures, []);
    // The servers would take what comes without a tunnel, too.
    if (service === 'tunnel')
      for (const name of Object.keys(FULL)) assert.ok(packetsThrough(name) > 100, name);
  });

/** As docs/balancer.md says, for a weight that is not 0. */
const CURVES: Readonly<Record<string, (left: number, gone: number) => number>> = {
  weightman: (left) => Math.ceil(RAMP_FULL / (left + 1)),
  linear: (_, gone) => Math.max(1, Math.ceil((RAMP_FULL * gone) / RAMP_MS)),
  slowstart: (_, gone) => Math.max(1, Math.ceil((RAMP_FULL * gone * gone) / RAMP_MS ** 2)),
};

/** The weight with so many whole seconds left. */
function weightAt(curve: string, left: number): number {
  return left === 0 ? RAMP_FULL : (CURVES[curve]?.(left, Math.max(0, RAMP_MS - left * 1000)) ?? 0);
}

/** How much later than the clock the table may be: a step of the ramp. */
const LATE_MS = 1000;

test('curves: the weights in the kernel are those of the formulas, second by second, and none goes back [B4]', async () => {
  const curves = Object.keys(CURVES) as Service[];
  const vs = curves.join(',');
  await ask(`set host slow off for vs ${vs}`);
  for (const curve of curves) await weightsAre(curve, { slow: 0 });
  const zeroAt = clockMs();
  await until('ramp_trigger', () => clockMs() - zeroAt > TRIGGER_MS);
  const [askedAt, answered] = [clockMs(), ask(`set host slow on for vs ${vs}`)];
  let begunAt = Number.POSITIVE_INFINITY;
  void answered.then(() => {
    begunAt = clockMs();
  });
  const readings: { from: number; to: number; weights: Weights }[] = [];
  const isDone = (): boolean =>
    curves.every((curve) => readings.at(-1)?.weights[curve] === RAMP_FULL) && begunAt < clockMs();
  while (!isDone()) {
    const from = clockMs();
    assert.ok(from - askedAt < 10 * RAMP_MS, `no end of the ramp: ${JSON.stringify(readings.at(-1))}`);
    const weights = Object.fromEntries(curves.map((curve) => [curve, weightsIn(curve).slow ?? -1]));
    readings.push({ from, to: clockMs(), weights });
    await sleep(100);
  }
  const leftAt = (began: number, at: number): number =>
    Math.min(Math.ceil(RAMP_MS / 1000), Math.max(0, Math.ceil((began + RAMP_MS - at) / 1000)));
  for (const curve of curves) {
    const told = readings.map(({ from, weights }) => `${from - askedAt} ms ${weights[curve]}`).join(', ');
    let before = 0;
    for (const { from, to, weights } of readings) {
      const weight = weights[curve] ?? -1;
      assert.ok(weight >= before, `${curve} goes back: ${told}`);
      before = weight;
      const most = leftAt(begunAt, from - LATE_MS);
      const allowed = Array.from({ length: most + 1 }, (_, left) => left)
        .filter((left) => left >= leftAt(askedAt, to))
        .map((left) => weightAt(curve, left));
      if (from - LATE_MS < begunAt) allowed.push(0);
      assert.ok(
        allowed.includes(weight),
        `${curve}, ${from - askedAt} ms: ${weight}, not ${allowed}: ${told}`,
      );
    }
    const steps = [...new Set(readings.map(({ weights }) => weights[curve]))].filter(
      (weight) => weight !== 0,
    );
    const wanted = Array.from({ length: Math.ceil(RAMP_MS / 1000) + 1 }, (_, left) => weightAt(curve, left));
    assert.deepEqual(steps, [...new Set(wanted.reverse())], told);
  }
});

/** What its check says from now on; resolves when the balancer knows. */
async function turns(name: ServerName, up: boolean): Promise<void> {
  const pattern = new RegExp(
    `check \\S*${SERVERS[name].replaceAll('.', '\\.')}\\S* is ${up ? 'up' : 'down'}`,
    'g',
  );
  const count = (): number => daemon.log().match(pattern)?.length ?? 0;
  const before = count();
  passes(name, up);
  await until(`${name} to be ${up ? 'up' : 'down'}`, () => count() > before);
}

test('quorum with hysteresis: down below quorum - hysteresis, up from quorum + hysteresis on, nothing between; no request fails [B5]', async (t) => {
  const load = startLoad({ mode: 'new', address: NAT, connections: 10, everyMs: 80, ports: PORTS });
  t.after(() => load.stop());
  const down: Weights = { s1: 0, s2: 0, s3: 0, s4: 0, sorry: 1 };
  /** It is so, and the traffic goes where it says. */
  const stands = async (weights: Weights, mails: number): Promise<void> => {
    await weightsAre('quorum', weights);
    const since = clockMs();
    await load.answers(120);
    assert.equal(unfair(load.counts(since), weights), '');
    await until(`${mails} mails`, () => mail.mails.length >= mails);
    assert.equal(mail.mails.length, mails);
  };
  await stands(FULL, 0);
  await turns('s1', false);
  await turns('s4', false);
  // 50 are left, which is not below 60 - 10.
  await stands({ s1: 0, s2: 30, s3: 20, s4: 0 }, 0);
  await turns('s3', false);
  await stands(down, 1);
  await turns('s3', true);
  for (const up of [true, false, true]) await turns('s4', up);
  // 60 are there, which is less than 60 + 10.
  await stands(down, 1);
  await turns('s4', false);
  await turns('s3', false);
  await turns('s1', true);
  // It has 70.
  await stands({ s1: 40, s2: 30, s3: 0, s4: 0 }, 2);
  await turns('s3', true);
  for (const up of [false, true, false]) await turns('s1', up);
  // 50 again.
  await stands({ s1: 0, s2: 30, s3: 20, s4: 0 }, 2);
  await turns('s1', true);
  await turns('s4', true);
  await stands(FULL, 2);
  await load.stop();
  assert.deepEqual(load.failures, []);
  const subjects = mail.mails.map(({ data }) => /^Subject: (.*)$/m.exec(data)?.[1]);
  assert.equal(subjects[0], "VS 'quorum' FAIL");
  assert.match(subjects[1] ?? '', /^VS 'quorum' OK \(after [0-9.]+s\)$/);
  assert.match(
    mail.mails[0]?.data ?? '',
    /s2 \(10\.2\.0\.22:80\): too little weight is alive in its service/,
  );
  const edges = daemon.log().match(/quorum \(\S+\): .*sorry server (\S+ in|out)/g);
  assert.equal(edges?.length, 2, edges?.join('\n'));
});
