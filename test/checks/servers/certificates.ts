/** Certificates with every fault that a check tells apart, by an authority of our own. Source: openssl-ca(1). */
import path from 'node:path';
import type { Stage } from './stage.js';

export interface Certificates {
  /** The authority, for `ca`. */
  ca: string;
  /** By the name of the server: a file of the certificate, and one of its key. */
  of(name: string): { certificate: string; key: string };
}

const DAY_MS = 86_400_000;

/** From and to when each is valid, in days from now, and the name that it is for. */
const WANTED: readonly (readonly [name: string, subject: string, from: number, to: number])[] = [
  ['good.test', 'good.test', -1, 90],
  ['expired.test', 'expired.test', -30, -3],
  ['soon.test', 'soon.test', -1, 5.5],
  ['wrong.test', 'another.test', -1, 90],
];

/** ASN.1's UTCTime. */
function utcTime(days: number): string {
  const date = new Date(Date.now() + days * DAY_MS);
  return `${date.toISOString().slice(2, 19).replaceAll(/[-T:]/g, '')}Z`;
}

export function makeCertificates(stage: Stage): Certificates {
  const directory = stage.directory('certificates');
  const at = (name: string): string => path.join(directory, name);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const settings = `[ca]
default_ca = own
[own]
database = ${at('index')}
new_certs_dir = ${directory}
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
`;
  stage.write(directory, 'index', '');
  const config = stage.write(directory, 'settings', settings);
  const ca = at('ca.pem');
  const subject = ['-subj', '/CN=An authority of our own'];
  stage.run('openssl', [
    'req',
    '-x509',
    ...key,
    '-keyout',
    at('ca.key'),
    '-out',
    ca,
    '-days',
    '90',
    ...subject,
  ]);
  for (const [name, subjectName, from, to] of WANTED) {
    const request = ['-subj', `/CN=${subjectName}`, '-addext', `subjectAltName=DNS:${subjectName}`];
    stage.run('openssl', [
      'req',
      ...key,
      '-keyout',
      at(`${name}.key`),
      '-out',
      at(`${name}.csr`),
      ...request,
    ]);
    const times = ['-startdate', utcTime(from), '-enddate', utcTime(to)];
    const files = [
      '-in',
      at(`${name}.csr`),
      '-out',
      at(`${name}.pem`),
      '-cert',
      ca,
      '-keyfile',
      at('ca.key'),
    ];
    stage.run('openssl', ['ca', '-batch', '-notext', '-config', config, ...files, ...times]);
  }
  return { ca, of: (name) => ({ certificate: at(`${name}.pem`), key: at(`${name}.key`) }) };
}
