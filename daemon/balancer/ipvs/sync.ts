/** The kernel's connection synchronization: what one director knows of connections it tells the other ones by multicast. */
import { type Runner, refusalOf } from './ipvsadm.js';

/** `master` tells, `backup` listens. `id`: 0 to 255, of those that belong together. */
export type SyncState = { state: 'none' } | { state: 'master' | 'backup'; interface: string; id: number };

interface SyncDaemon {
  state: 'master' | 'backup';
  interface: string;
  id: number;
}

/** What `ipvsadm -L --daemon` says runs. */
export function parseDaemons(text: string): SyncDaemon[] {
  const found = text.matchAll(/^(master|backup) sync daemon \(mcast=([^,]+), syncid=([0-9]+)/gm);
  return [...found].map(([, state, name = '', id]) => ({
    ...{ state: state === 'master' ? 'master' : 'backup', interface: name, id: Number(id) },
  }));
}

/** Stops what is not wanted and starts what is, if it does not run. '' where it is as wanted, else why it is not. */
export async function changeSync(run: Runner, wanted: SyncState): Promise<string> {
  const listed = await run(['-L', '--daemon']);
  const refusal = refusalOf(listed);
  if (refusal !== '') return refusal;
  const same = (daemon: SyncDaemon): boolean =>
    daemon.state === wanted.state && daemon.interface === wanted.interface && daemon.id === wanted.id;
  const running = parseDaemons(listed.stdout);
  for (const daemon of running.filter((one) => !same(one))) {
    const stopped = refusalOf(await run(['--stop-daemon', daemon.state]));
    if (stopped !== '') return stopped;
  }
  if (wanted.state === 'none' || running.some(same)) return '';
  const { state, interface: name, id } = wanted;
  const started = await run(['--start-daemon', state, '--mcast-interface', name, '--syncid', String(id)]);
  const why = refusalOf(started);
  return why === '' ? '' : `connection synchronization on ${name} (${state}): ${why}${hintOf(why)}`;
}

function hintOf(why: string): string {
  if (why.includes('No such device')) return '; there is no such interface';
  // The kernel wants an address to send from, and an interface that is up; it says this of a loopback interface too.
  if (/Invalid operation|Network is unreachable|Cannot assign/.test(why))
    return '; the interface has to be up, have an IPv4 address and be able to do multicast';
  return '';
}
