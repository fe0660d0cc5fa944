/** The door for browsers where there is a token: a form, and the session that it begins. The token is never part of a URL, which logs keep. */
import type { IncomingMessage } from 'node:http';
import type { Access } from './access.js';
import { HTML_TYPE, type HttpAnswered, problem, seeOther } from './answers.js';

const BODY_BYTES_MAX = 4096;
const FORM_TYPE = 'application/x-www-form-urlencoded';

/** What the form may do; no script is in it. */
export const LOGIN_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

export function loginForm(note = '', status = 200): HttpAnswered {
  const said = note === '' ? '' : `<p role="alert">${note}</p>`;
  const body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>hastmon</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 22rem; margin: 15vh auto; padding: 0 1rem }
  label, input, button { display: block; width: 100%; box-sizing: border-box; font: inherit }
  input, button { margin: .5rem 0 1rem; padding: .5rem }
</style>
<main>
<h1>hastmon</h1>
${said}
<form method="post" action="/login">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Log in</button>
</form>
</main>
</html>
`;
  const headers = {
    'Content-Security-Policy': LOGIN_POLICY,
    // With no-referrer, which all else says, browsers do not tell with a form where it was: `Origin: null`.
    'Referrer-Policy': 'same-origin',
  };
  return { status, type: HTML_TYPE, body, headers };
}

/** Answers the form: a session, or the form again. */
export async function answerLogin(access: Access, request: IncomingMessage): Promise<HttpAnswered> {
  const [type = ''] = (request.headers['content-type'] ?? '').split(';');
  if (type.trim().toLowerCase() !== FORM_TYPE) return problem(415, `expected ${FORM_TYPE}`);
  if (isForeign(request)) return problem(403, 'this form was not sent by a page of this server');
  const body = await bodyOf(request);
  if (body === null) return problem(413, `a form has ${BODY_BYTES_MAX} bytes at most`, {}, CLOSE);
  if (!access.needsToken) return seeOther('/');
  const cookie = access.logIn(new URLSearchParams(body).get('token') ?? '');
  if (cookie === 'busy')
    return loginForm('Too many wrong tokens have come lately. Try again in ten seconds.', 429);
  if (cookie === null) return loginForm('This is not the token.', 401);
  return seeOther('/', { 'Set-Cookie': cookie });
}

const CLOSE = { Connection: 'close' };

/** Browsers say where a form was; by the name of a server alone where the connection has no TLS, and is not of this machine. */
function isForeign({ headers }: IncomingMessage): boolean {
  const { host = '', origin, 'sec-fetch-site': site } = headers;
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  return origin !== undefined && origin.replace(/^https?:\/\//, '') !== host;
}

/** null where it is too long, or ends too early. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > BODY_BYTES_MAX) return null;
      chunks.push(chunk);
    }
  } catch {
    return null;
  }
  return Buffer.concat(chunks).toString('utf8');
}
