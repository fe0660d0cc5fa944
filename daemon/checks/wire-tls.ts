/**
 * TLS by Node's own sockets. A certificate that is expired, untrusted, for another name, or about to expire is a failure with a
 * nature of its own; the connection counts as standing only after that.
 */
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { messageOf } from '../sys/errors.js';
import type { Flight } from './flight.js';
import type { Nature } from './natures.js';
import type { Wire, WireEvents } from './wire.js';

export interface TlsSpec {
  /** SNI, and the name that the certificate has to be for. */
  serverName: string;
  /** False: any certificate will do. */
  verify: boolean;
  /** PEM; absent: the authorities that Node knows. */
  ca?: string;
  /** Fails where the certificate expires in fewer days than this; 0: not looked at. */
  days: number;
}

const DAY_MS = 86_400_000;

/** What is wrong with the other side's certificate, null where nothing is. Pure. */
export function judgeCertificate(
  spec: TlsSpec,
  /** Node's verdict: the code or text of TLSSocket.authorizationError, '' where it is content. */
  verdict: string,
  /** Milliseconds of the wall clock; NaN where it is not known. */
  validTo: number,
  now: number,
): { nature: Nature; text: string; days: number } | null {
  if (spec.verify && verdict !== '') {
    const nature: Nature =
      verdict === 'CERT_HAS_EXPIRED'
        ? 'tls-expired'
        : verdict === 'ERR_TLS_CERT_ALTNAME_INVALID'
          ? 'tls-name'
          : 'tls-untrusted';
    return { nature, text: verdict.toLowerCase().replaceAll('_', ' '), days: 0 };
  }
  const left = Math.floor((validTo - now) / DAY_MS);
  if (spec.days > 0 && left < spec.days) {
    const text = `the certificate expires in ${left} day${left === 1 ? '' : 's'}`;
    return { nature: left < 0 ? 'tls-expired' : 'tls-expires-soon', text, days: Math.max(0, left) };
  }
  return null;
}

/** What OpenSSL's own words mean to whoever looks after the service. */
const HANDSHAKE_WORDS: readonly (readonly [RegExp, string])[] = [
  [/^wrong version number$|^packet length too long$/, 'it does not speak TLS there'],
  [
    /alert handshake failure$/,
    'it refuses the handshake: no cipher or protocol in common, or it does not know the name',
  ],
  [/alert unrecognized name$/, 'it does not know the name'],
  [/^unsupported protocol$|alert protocol version$/, 'it speaks no version of TLS that is safe'],
  [/certificate required$|alert bad certificate$/, 'it wants a certificate of the client'],
];

/** Why a handshake failed, in words, with OpenSSL's reason where it gives one. */
function handshakeText(error: Error & { code?: string | undefined; reason?: string }): string {
  const { code = '', reason = '' } = error;
  if (code === 'ECONNRESET') return 'the connection was closed in the handshake';
  if (reason === '') return messageOf(error);
  const words = HANDSHAKE_WORDS.find(([pattern]) => pattern.test(reason))?.[1];
  return words === undefined ? reason : `${words} (${reason})`;
}

/** `wall`: milliseconds of the wall clock. `busy` is called when Node's loop has something to do. */
export function createTlsWire(events: WireEvents, most: number, wall: () => number, busy: () => void): Wire {
  function open(flight: Flight): string {
    const spec = flight.plan?.extra as TlsSpec;
    const { generation } = flight;
    const mine = (): boolean => flight.generation === generation && flight.handle === socket;
    const options: ConnectionOptions = {
      host: flight.host,
      port: flight.port,
      rejectUnauthorized: false,
      ...(flight.plan?.source ? { localAddress: flight.plan.source } : {}),
      // An address is no server name (RFC 6066 section 3).
      ...(/^[0-9.]+$|:/.test(spec.serverName) ? {} : { servername: spec.serverName }),
      ...(spec.ca === undefined ? {} : { ca: spec.ca }),
    };
    const socket = connect(options);
    flight.handle = socket;
    let reached = false;
    socket.on('connect', () => {
      reached = true;
      if (mine()) flight.transportAt = performance.now();
      flight.text = 'connected, but the TLS handshake was not finished';
    });
    socket.on('secureConnect', () => {
      if (!mine()) return;
      flight.text = '';
      const verdict = socket.authorized ? '' : String(socket.authorizationError ?? 'unknown');
      const validTo = Date.parse(socket.getPeerCertificate().valid_to ?? '');
      const bad = judgeCertificate(spec, verdict, validTo, wall());
      if (bad === null) return events.connected(flight);
      flight.detail = bad.days;
      events.failed(flight, bad.nature, bad.text);
    });
    socket.on('data', (bytes) => {
      if (mine()) events.received(flight, bytes, bytes.length);
    });
    socket.on('end', () => {
      if (mine()) events.ended(flight);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!mine()) return;
      const handshake = reached && !socket.authorized && flight.connectedAt < flight.begunAt;
      if (handshake) events.failed(flight, 'tls-handshake', handshakeText(error));
      else events.failed(flight, error.code ?? '', messageOf(error));
    });
    busy();
    return '';
  }

  return {
    name: 'tls',
    most,
    open,
    send(flight, bytes) {
      (flight.handle as TLSSocket).write(bytes);
      busy();
    },
    close(flight, politely) {
      const socket = flight.handle as TLSSocket | null;
      flight.handle = null;
      if (socket === null) return;
      socket.on('error', () => {});
      if (politely) socket.end(() => socket.destroy());
      else socket.destroy();
      busy();
    },
  };
}
