/** A message to the system's log, straight to its socket: syslog(3) would not tell whether it got there. */
import { openDatagram } from '../sys/datagram.js';
import { messageOf } from '../sys/errors.js';
import type { Answer } from './ipc.js';
import type { Content } from './outbox-types.js';

const SOCKET = '/dev/log';
/** RFC 3164: the facility daemon, and severities. */
const FACILITY = 3 * 8;
const SEVERITIES = { err: 3, warning: 4, notice: 5 } as const;
/** rsyslog's and the journal's limits are at 8 KiB and above. */
const CHARACTERS_MAX = 8000;

export function writeSyslog(content: Content, socket = SOCKET): Answer {
  const lines: string[] = [];
  try {
    const log = openDatagram(socket);
    try {
      for (const { priority, text } of content.lines) {
        const failed = log.send(recordOf(SEVERITIES[priority], text.slice(0, CHARACTERS_MAX)));
        if (failed !== null) throw new Error(failed);
        lines.push(`daemon.${priority}: ${text}`);
      }
    } finally {
      log.close();
    }
    return { outcome: { kind: 'delivered', left: [], note: '' }, lines };
  } catch (error) {
    return { outcome: { kind: 'unavailable', why: messageOf(error) }, lines: [...lines, messageOf(error)] };
  }
}

/** As glibc's syslog(3) writes it. */
function recordOf(severity: number, text: string): string {
  const time = new Date();
  const month = time.toLocaleString('en-US', { month: 'short' });
  const day = String(time.getDate()).padStart(2, ' ');
  return `<${FACILITY + severity}>${month} ${day} ${time.toTimeString().slice(0, 8)} hastmond[${process.pid}]: ${text}`;
}
