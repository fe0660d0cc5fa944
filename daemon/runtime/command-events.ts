/** What operators ask for, as events. Questions are none. */
import type { ControlRequest, Selection } from '../../proto/control-types.js';
import type { NewEvent, RecordEvent } from '../../proto/event-types.js';

export interface CommandRecorder {
  /** Records an event of anything else, and before it the commands that have not been answered: it may follow from one of them. */
  record: RecordEvent;
  /** Somebody has made a request, which is carried out from now on; to be called once with what came of it, '' where it was done. */
  given(by: string, request: ControlRequest): (error: string) => void;
}

/** What is answered within that is one event; what takes longer is told before, so that who follows sees what is under way. */
const TELL_AFTER_MS = 100;

/** Puts commands on record before what follows from them, and what came of them where they fail later. `pass` takes all events. */
export function createCommandRecorder(pass: RecordEvent): CommandRecorder {
  /** Given, and not on record. */
  const untold = new Set<() => void>();

  return {
    record(event) {
      for (const tell of untold) tell();
      pass(event);
    },
    given(by, request) {
      const event = commandEvent(by, request, '');
      if (event === null) return () => {};
      const tell = (): void => {
        clearTimeout(timer);
        if (untold.delete(tell)) pass(event);
      };
      const timer = setTimeout(tell, TELL_AFTER_MS).unref();
      untold.add(tell);
      return (error) => {
        const known = !untold.has(tell);
        const failed = error === '' ? null : commandEvent(by, request, error, known ? 'failed' : 'refused');
        if (failed === null) return tell();
        clearTimeout(timer);
        untold.delete(tell);
        pass(failed);
      };
    },
  };
}

/** The event of a request that somebody has made; `error` is '' where it was not refused and has not failed. null: it only asked. */
export function commandEvent(
  by: string,
  request: ControlRequest,
  error: string,
  how: 'refused' | 'failed' = 'refused',
): NewEvent | null {
  const words = wordsOf(request);
  if (words === null) return null;
  const failed = error === '' ? '' : `; ${how}: ${error}`;
  return {
    kind: 'command',
    ...words.subject,
    by,
    text: `hastmonctl ${words.command}${failed}`,
    data: { command: words.command, done: error === '', error },
  };
}

interface Words {
  command: string;
  subject: Pick<NewEvent, 'resource' | 'check' | 'host'>;
}

function wordsOf(request: ControlRequest): Words | null {
  switch (request.kind) {
    case 'role': {
      const force = request.force ? ' --force' : '';
      const names = namesOf(request.resources);
      return { command: `role ${request.role} ${names}${force}`, subject: subjectOf(request.resources) };
    }
    case 'switchover': {
      const to = request.to === '' ? '' : ` --to ${request.to}`;
      return { command: `switchover ${request.resource}${to}`, subject: { resource: request.resource } };
    }
    case 'bootstrap':
      return { command: `bootstrap ${request.resource}`, subject: { resource: request.resource } };
    case 'maintenance': {
      const limit = request.forMs === null ? '' : ` --for ${Math.round(request.forMs / 1000)}s`;
      const why = request.reason === '' ? '' : ` --reason '${request.reason}'`;
      const command = `maintenance ${request.what} ${namesOf(request.resources)}${limit}${why}`;
      return { command, subject: subjectOf(request.resources) };
    }
    case 'reload':
      return { command: 'reload', subject: {} };
    case 'ack':
    case 'mute':
      return {
        command: `${muteOrAck(request)} ${request.names.join(' ')}`,
        subject: onlyOne('check', request.names),
      };
    case 'balancer-reload':
      return { command: 'balancer reload', subject: {} };
    case 'balancer-set':
      return balancerWords(request.command);
    case 'balancer-console': {
      const line = request.line.trim();
      return CHANGING.test(line) ? { command: `console: ${line}`, subject: {} } : null;
    }
    default:
      // Checks report all the time.
      return null;
  }
}

/** Lines of the console that are to change something. */
const CHANGING = /^(set|config\s+reload)\b/i;

const namesOf = (selection: Selection): string => (selection === 'all' ? 'all' : selection.join(' '));

function subjectOf(selection: Selection): Words['subject'] {
  return selection === 'all' ? {} : onlyOne('resource', selection);
}

function onlyOne(what: 'resource' | 'check' | 'host', names: readonly string[]): Words['subject'] {
  const [only, more] = names;
  return only === undefined || more !== undefined ? {} : { [what]: only };
}

function muteOrAck(request: Extract<ControlRequest, { kind: 'ack' | 'mute' }>): string {
  if (request.kind === 'ack') return 'check ack';
  return request.forMs === 0 ? 'unmute' : 'mute';
}

type BalancerChange = Extract<ControlRequest, { kind: 'balancer-set' }>['command'];

function balancerWords(change: BalancerChange): Words {
  const services = change.services === null ? [] : change.services;
  const vs = services.length === 0 ? '' : ` --vs ${services.join(',')}`;
  if (change.kind === 'adopt') return { command: `balancer adopt${vs}`, subject: {} };
  const reason =
    'reasons' in change && change.reasons.length > 0 ? ` --reason ${change.reasons.join(',')}` : '';
  return {
    command: `host ${change.hosts.join(',')} ${change.kind}${vs}${reason}`,
    subject: onlyOne('host', change.hosts),
  };
}
