/** What is answered to a request of HTTP, before it is sent. */

export interface HttpAnswered {
  status: number;
  /** Of the body; '' where there is none. */
  type: string;
  body: string | Buffer;
  headers: Readonly<Record<string, string>>;
}

export const JSON_TYPE = 'application/json; charset=utf-8';
export const HTML_TYPE = 'text/html; charset=utf-8';
const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

export function json(value: object, status = 200, headers: HttpAnswered['headers'] = {}): HttpAnswered {
  return { status, type: JSON_TYPE, body: `${JSON.stringify(value)}\n`, headers };
}

/** Problem details (RFC 9457): `detail` says what is wrong and what to do; `more` are members beside it. */
export function problem(
  status: number,
  detail: string,
  more: Readonly<Record<string, unknown>> = {},
  headers: HttpAnswered['headers'] = {},
): HttpAnswered {
  const value = { title: TITLES[status] ?? 'Error', status, detail, ...more };
  return { status, type: PROBLEM_TYPE, body: `${JSON.stringify(value)}\n`, headers };
}

export function text(body: string, type: string): HttpAnswered {
  return { status: 200, type, body, headers: {} };
}

/** To another path of this server, with GET. */
export function seeOther(location: string, headers: HttpAnswered['headers'] = {}): HttpAnswered {
  return { status: 303, type: '', body: '', headers: { Location: location, ...headers } };
}
