/** A message by a web service: its JSON is posted. */
import { version } from '../process/version.js';
import { messageOf } from '../sys/errors.js';
import type { Answer } from './ipc.js';
import type { Content, Outcome } from './outbox-types.js';
import { printable, shorten } from './words.js';

const LIMIT_MS = 10_000;
const BODY_BYTES_MAX = 2048;

/** Never rejects. */
export async function callWebhook(url: string, content: Content, limitMs = LIMIT_MS): Promise<Answer> {
  const shown = shownUrl(url);
  const lines = [`POST ${shown}`];
  try {
    const { target, headers } = requestTo(url);
    const response = await fetch(target, {
      ...{ method: 'POST', body: content.json, redirect: 'manual', signal: AbortSignal.timeout(limitMs) },
      headers: { ...headers, 'content-type': 'application/json', 'user-agent': `hastmon/${version}` },
    });
    lines.push(`HTTP ${response.status} ${printable(response.statusText)}`);
    for (const [name, value] of response.headers) lines.push(`${name}: ${printable(value)}`);
    const body = await beginning(response);
    if (body !== '') lines.push('', ...body.split(/\r?\n/).map(printable));
    return { outcome: outcomeOf(response.status, shown, body), lines };
  } catch (error) {
    const why = `${shown}: ${reason(error, limitMs)}`;
    return { outcome: { kind: 'unavailable', why }, lines: [...lines, reason(error, limitMs)] };
  }
}

/** Whoever knows the path of such a URL may post to it: it is not shown. */
export function shownUrl(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}/…`;
}

/** A user and a password in the URL go into a header: fetch refuses them. */
function requestTo(url: string): { target: URL; headers: Record<string, string> } {
  const target = new URL(url);
  const { username, password } = target;
  if (username === '' && password === '') return { target, headers: {} };
  target.username = '';
  target.password = '';
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  return { target, headers: { authorization: `Basic ${login.toString('base64')}` } };
}

function outcomeOf(status: number, shown: string, body: string): Outcome {
  if (status >= 200 && status < 300) return { kind: 'delivered', left: [], note: '' };
  const said = shorten(printable(body), 200);
  const why = `${shown} answers ${status}${said === '' ? '' : `: ${said}`}`;
  if (status === 408 || status === 429 || status >= 500) return { kind: 'unavailable', why };
  return { kind: 'final', why: status < 400 ? `${why} (redirects are not followed)` : why };
}

async function beginning(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  // What it answers besides its status is worth a look, and not worth a failure.
  try {
    for await (const piece of response.body ?? []) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes >= BODY_BYTES_MAX) break;
    }
  } catch {
    return Buffer.concat(pieces).toString('utf8');
  }
  return Buffer.concat(pieces).toString('utf8', 0, BODY_BYTES_MAX);
}

/** fetch says `fetch failed`, and why in the cause. */
function reason(error: unknown, limitMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${limitMs / 1000} s`;
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (cause instanceof AggregateError) return cause.errors.map(messageOf).join(', ');
  return messageOf(cause);
}
