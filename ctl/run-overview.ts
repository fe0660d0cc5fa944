/** `status --watch`: asks for all that the live view shows, again and again. */
import { exitCode } from '../daemon/process/sysexits.js';
import type { CheckCounts } from '../proto/cluster-types.js';
import type { Selection } from '../proto/control-types.js';
import type { HaEvent } from '../proto/event-types.js';
import { ANSWER_MS, answer, BALANCER_MS, succeeded } from './answer.js';
import type { CheckList } from './checks.js';
import { isOwnWord } from './cluster.js';
import { formatOverview, type Overview } from './overview.js';
import type { Session } from './run.js';
import { clusterOf } from './run-cluster.js';
import { watch } from './watch.js';

/** No screen has more lines. */
const EVENTS = 100;

/** Until it is interrupted; gives the exit status. */
export async function runOverview(session: Session, resources: Selection): Promise<number> {
  const { invocation, terminal } = session;
  const look = async () => shown(await overview(session, resources));
  await watch({
    ...{ terminal, look, everyMs: invocation.watchMs, screen: !invocation.json },
    first: await look(),
    append({ data, text }) {
      const room = { columns: terminal.columns(), rows: Number.POSITIVE_INFINITY, colour: terminal.colour };
      terminal.print(invocation.json ? `${JSON.stringify(data)}\n` : `${text(room)}\n`);
    },
  });
  return exitCode.ok;
}

function shown(data: Overview) {
  return { data, note: '', text: (room: Parameters<typeof formatOverview>[1]) => formatOverview(data, room) };
}

async function overview(session: Session, resources: Selection): Promise<Overview> {
  const cluster = await clusterOf(session, resources);
  const own = cluster.nodes.find(({ self }) => self)?.said;
  const [checks, servers, events] = await Promise.all([
    own?.checks ? checksDown(session, own.checks) : null,
    own?.balancer ? serversUnderway(session, isOwnWord(own.balancer.source, cluster.node)) : null,
    lastEvents(session, resources),
  ]);
  return { cluster, checks, servers, events };
}

/** The first page of those that are down, more than a screen shows; how many there are of all is in the node's own word. */
async function checksDown(session: Session, { down, unknown, up }: CheckCounts): Promise<CheckList> {
  const request = { kind: 'checks', down: true, host: '', group: '', patterns: [], from: 0 } as const;
  const { kind: _, ...page } = await answer(session, request, 'checks', ANSWER_MS);
  return { ...page, down, unknown, up };
}

/** `director`: this node is it. Elsewhere no server is in the table, and that says nothing. */
async function serversUnderway(session: Session, director: boolean): Promise<Overview['servers']> {
  const request = { kind: 'balancer-hosts', hosts: [], services: [] } as const;
  const { hosts } = await answer(session, request, 'hosts', BALANCER_MS);
  return hosts.filter(
    ({ desiredWeight, ramp, stateWeight, weight }) =>
      ramp !== null || (director && stateWeight !== weight) || desiredWeight !== weight,
  );
}

async function lastEvents(session: Session, resources: Selection): Promise<HaEvent[]> {
  const events: HaEvent[] = [];
  const names = resources === 'all' ? [] : resources;
  const request = { kind: 'events', names, sinceMs: null, last: EVENTS, follow: false } as const;
  const reply = await session.ask(request, ANSWER_MS, (some) => void events.push(...some));
  succeeded(reply);
  return [...events, ...reply.events];
}
