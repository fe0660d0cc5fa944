/** Turning a log record into one line that a human reads. Pure; it does not know where the line goes. */

/** A record as pino writes it, parsed. */
export interface LogRecord {
  level: string;
  time?: number;
  msg?: string;
  resource?: unknown;
  role?: unknown;
  peer?: unknown;
  err?: unknown;
  pid?: unknown;
  [field: string]: unknown;
}

/** syslog(3) priorities by number, which are also those of sd-daemon(3). */
export function priorityOf(level: string): number {
  return priorities[level] ?? 6;
}

const priorities: Record<string, number> = { fatal: 2, error: 3, warn: 4, info: 6, debug: 7, trace: 7 };

const colours: Record<string, string> = { fatal: '31;1', error: '31', warn: '33', debug: '2', trace: '2' };

/** `resource (role) peer: message field=value`: what stands in every log, also where another program adds the time. */
export function formatMessage(record: LogRecord): string {
  const { level: _level, time: _time, pid: _pid, msg = '', resource, role, peer, err, ...fields } = record;
  const who = [resource, role === undefined ? undefined : `(${role})`, peer]
    .filter((word) => word !== undefined)
    .join(' ');
  const words = Object.entries(fields).map(([name, value]) => `${name}=${formatValue(value)}`);
  // pino takes the message of an Error that is logged by itself.
  const cause = err === undefined || errorText(err) === msg ? [] : [`(${errorText(err)})`];
  const text = [msg, ...cause, ...words].filter((word) => word !== '').join(' ');
  return printable(who === '' ? text : `${who}: ${text}`);
}

/** A line for a terminal: local time, level, message. */
export function formatTerminal(record: LogRecord, colour: boolean): string {
  const level = record.level.padEnd(5);
  const line = `${formatTime(record.time ?? 0)} ${level} ${formatMessage(record)}`;
  const code = colour ? colours[record.level] : undefined;
  return code === undefined ? `${line}\n` : `\x1b[${code}m${line}\x1b[0m\n`;
}

/** A line for the journal: `<priority>message`, sd-daemon(3). */
export function formatJournal(record: LogRecord): string {
  return `<${priorityOf(record.level)}>${formatMessage(record)}\n`;
}

/** The line of JSON with the value of every `secret` blotted out, however deep it is. */
export function redactSecrets(line: string): string {
  if (!line.includes('"secret":')) return line;
  const record: unknown = JSON.parse(line, (name, value: unknown) => (name === 'secret' ? '***' : value));
  return `${JSON.stringify(record)}\n`;
}

/** On one line and without controls, which could fool a terminal or forge a line: they are shown as escapes. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (control) => {
    if (control === '\t') return ' ';
    if (control === '\n') return '\\n';
    return `\\x${(control.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`;
  });
}

function formatValue(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return value;
  return JSON.stringify(value) ?? String(value);
}

// pino's serializer makes { type, message, stack } of an Error; the stack is for the file of JSON.
function errorText(err: unknown): string {
  if (typeof err === 'object' && err !== null && 'message' in err) return String(err.message);
  return formatValue(err);
}

function formatTime(timeMs: number): string {
  const time = new Date(timeMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
  return `${date} ${clock}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}
