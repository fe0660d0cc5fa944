/**
 * What `hastmonctl status` prints: the ancestor's lines in their order, then the new ones. Pure; it does not know
 * where they go.
 */
import type { RemoteStatus, ReportedState, StatusEntry, VoterStatus } from '../proto/control-types.js';
import { duration, seconds } from './words.js';

/** One resource, its lines with their newlines and an empty line at the end, as in the ancestor. */
export function formatStatus(entry: StatusEntry, colour: boolean): string {
  const lines = [...ancestorLines(entry, colour), ...newLines(entry, colour)];
  return `${plain(entry.resource)}:\n${lines.map((line) => `  ${line}\n`).join('')}\n`;
}

function ancestorLines(entry: StatusEntry, colour: boolean): string[] {
  const { attempts, complaints, remotes, role } = entry;
  const watches = role === 'watchdog';
  return [
    `role: ${entry.forced ? red(role, colour) : role}`,
    `workerpid: ${entry.workerPid}`,
    `exec: ${plain(entry.exec)}`,
    'remote:',
    ...(remotes.length === 0 ? ['  none'] : remotes.map((remote) => `  ${remoteLine(remote, watches)}`)),
    `state: ${entry.state}`,
    `attempts: ${attempts.now} from ${attempts.limit}`,
    `complaints: ${complaints.now} for last ${seconds(complaints.intervalMs)} sec (threshold ${complaints.threshold})`,
    `heartbeat: ${seconds(entry.heartbeatMs)} sec`,
  ];
}

/** A watchdog tells what its remotes do, the others whether they are there. */
function remoteLine(remote: RemoteStatus, watches: boolean): string {
  const { address, connected, heardMs, reason, role, state } = remote;
  if (connected && watches)
    return `${plain(address)} (${role === null ? 'connected' : `${role}/${state ?? 'unknown'}`})`;
  if (connected) return `${plain(address)} (connected)`;
  const why = [reason === '' ? '' : plain(reason), unknownSince(heardMs)].filter((word) => word !== '');
  return `${plain(address)} (disconnected)${why.length === 0 ? '' : `: ${why.join('; ')}`}`;
}

/** What is not known any more, by when its node was last heard; '' where it never was. */
function unknownSince(heardMs: number | null): string {
  return heardMs === null ? '' : `unknown since ${duration(heardMs)}`;
}

function newLines(entry: StatusEntry, colour: boolean): string[] {
  const { backedBy, forced, lastError, maintenance, reports, role, roleSet, voters, waiting, warnings } =
    entry;
  const runs = role !== 'watchdog';
  const outside = 'yes, outside the lease: it may run on another node too';
  return [
    ...(roleSet === role ? [] : [`role set: ${roleSet}`]),
    ...(forced ? [red(`forced: ${outside}`, colour)] : []),
    ...(maintenance === null ? [] : [red(`maintenance: ${maintenanceWords(maintenance)}`, colour)]),
    `priority: ${entry.priority}`,
    `lease: ${leaseWords(entry)}`,
    `voters: ${voterCount(voters)}`,
    ...voters.map((voter) => `  ${voterLine(voter)}`),
    ...(runs ? [`backed by: ${backedBy === '' ? 'nothing' : plain(backedBy)}`] : []),
    ...(runs ? [`restart margin: ${marginWords(entry.restartMarginMs)}`] : []),
    ...(reports.length === 0 ? [] : ['checks:', ...reports.map((report) => `  ${reportLine(report)}`)]),
    ...warnings.map((warning) => `warning: ${plain(warning)}`),
    ...(lastError === '' ? [] : [`last error: ${plain(lastError)}`]),
    `waiting: ${waiting === '' ? 'nothing' : plain(waiting)}`,
  ];
}

function maintenanceWords({ by, node, reason }: NonNullable<StatusEntry['maintenance']>): string {
  return `on ${plain(node)}, nothing happens by itself: ${reason === '' ? 'no reason was given' : plain(reason)}, by ${plain(by)}`;
}

function leaseWords({ holder, lease }: StatusEntry): string {
  const { epoch, grantMs, held, leaseMs, leftMs } = lease;
  const terms = `(grant ${duration(grantMs)})`;
  if (held) return `held, epoch ${epoch}, ${duration(leftMs)} left of ${duration(leaseMs)} ${terms}`;
  const by = holder === '' ? 'not held' : `held by ${plain(holder)}`;
  const last = epoch === 0 ? 'no epoch yet' : `${holder === '' ? 'last epoch' : 'epoch'} ${epoch}`;
  const granted = leftMs > 0 ? `, this node's vote is given for ${duration(leftMs)}` : '';
  return `${by}, ${last}${granted} ${terms}`;
}

function voterCount(voters: readonly VoterStatus[]): string {
  const reachable = voters.filter((voter) => voter.reachable).length;
  const majority = Math.floor(voters.length / 2) + 1;
  return `${reachable} of ${voters.length} reachable, majority ${majority}`;
}

function voterLine({ grantingTo, heardMs, history, node, reachable, self }: VoterStatus): string {
  if (!reachable) return `${plain(node)} (unreachable) ${unknownSince(heardMs) || 'never heard'}`;
  const vote = `votes for ${grantingTo === '' ? 'nobody' : plain(grantingTo)}`;
  return `${plain(node)} (${self ? 'self' : 'reachable'}) ${vote}${history ? '' : ', has no history'}`;
}

function reportLine({ ageMs, check, forMs, node, state }: ReportedState): string {
  if (state === '') return `${plain(check)} on ${plain(node)}: ${unknownSince(ageMs)}`;
  const since = `for ${duration(Math.max(ageMs, forMs))}, said ${duration(ageMs)} ago`;
  return `${plain(check)} on ${plain(node)}: ${plain(state)} (${since})`;
}

function marginWords(ms: number | null): string {
  if (ms === null) return 'not measured';
  return ms >= 0 ? duration(ms) : `${duration(ms)}, a restart of hastmond comes too late`;
}

function red(text: string, colour: boolean): string {
  return colour ? `\x1b[31;1m${text}\x1b[0m` : text;
}

/** What other nodes and hooks said goes to a terminal: without controls, on one line. */
function plain(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}
