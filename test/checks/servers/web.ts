/** nginx: HTTP and TLS, with good certificates and bad ones. */
import path from 'node:path';
import type { Certificates } from './certificates.js';
import type { Server } from './server.js';
import type { Stage } from './stage.js';

/** Where the authority's certificate stands, put into the checks' texts when they are read. */
export const CA = '%CA%';

function settings(directory: string, stage: Stage, certificates: Certificates): string {
  const password = stage.run('openssl', ['passwd', '-apr1', 'secret']).trim();
  stage.write(directory, 'users', `me:${password}\n`);
  const tls = ['good.test', 'expired.test', 'soon.test', 'wrong.test'].map((name) => {
    const { certificate, key } = certificates.of(name);
    return `server { listen 443 ssl; listen [::]:443 ssl; server_name ${name}; root ${directory}/pages;
      ssl_certificate ${certificate}; ssl_certificate_key ${key}; location = /back { return 301 http://plain.test/; } }`;
  });
  return `daemon off; worker_processes 1; user root; pid ${directory}/pid; error_log ${directory}/log notice;
events { worker_connections 256; }
http {
  access_log ${directory}/access; default_type text/plain;
  client_body_temp_path ${directory}/t; proxy_temp_path ${directory}/t; fastcgi_temp_path ${directory}/t;
  uwsgi_temp_path ${directory}/t; scgi_temp_path ${directory}/t;
  server {
    listen 80 default_server; listen [::]:80; server_name plain.test; root ${directory}/pages;
    location = /chunked { alias ${directory}/pages/large; sub_filter needle haystack; sub_filter_types *; }
    location = /moved { return 302 https://good.test/; }
    location = /circle { return 302 /circle; }
    location = /lost { return 302 ftp://good.test/; }
    location = /private { auth_basic here; auth_basic_user_file ${directory}/users; alias ${directory}/pages/index.html; }
    location = /from { allow 127.0.0.5; deny all; alias ${directory}/pages/index.html; }
    location = /field { if ($http_x_wanted = "yes") { return 200 "as wanted"; } return 400; }
    location = /method { return 200 "$request_method $server_protocol $http_host $query_string"; }
    location = /ill { return 503; }
  }
  ${tls.join('\n  ')}
}
`;
}

const web = 'http://127.0.0.1';

export const nginx: Server = {
  name: 'nginx',
  programs: ['nginx', 'openssl'],
  start(stage, certificates) {
    const directory = stage.directory('nginx');
    const pages = stage.directory('nginx/pages');
    stage.write(pages, 'index.html', 'It works here.\n');
    stage.write(pages, 'large', `${'hay '.repeat(20_000)}needle\n`);
    const file = stage.write(directory, 'settings', settings(directory, stage, certificates));
    return stage.start(directory, 'nginx', ['-c', file, '-e', path.join(directory, 'log')]);
  },
  up: [
    [`${web}/`, 'ok 200'],
    ['tcp://127.0.0.1:80', 'ok'],
    ['http://[::1]/ { body "It works" }', 'ok 200'],
    [`${web}/ { body "It works" }`, 'ok 200'],
    [`${web}/ { match "^It w.rks here\\\\." version 1.0 }`, 'ok 200'],
    [`${web}/ { body "It does not" }`, 'body-mismatch 200'],
    [`${web}/none`, 'http-status 404'],
    [`${web}/none { status 200 404 }`, 'ok 404'],
    [`${web}/ill`, 'http-status 503'],
    [`${web}/ill { status 500-599 }`, 'ok 503'],
    [`${web}/chunked { body haystack size 1MB }`, 'ok 200'],
    [`${web}/chunked { body haystack size 1KB }`, 'body-mismatch 200'],
    [`${web}/private`, 'http-status 401'],
    ['http://me:secret@127.0.0.1/private', 'ok 200'],
    ['http://me:wrong@127.0.0.1/private', 'http-status 401'],
    [`${web}/from`, 'http-status 403'],
    [`${web}/from { source 127.0.0.5 }`, 'ok 200'],
    [`${web}/field`, 'http-status 400'],
    [`${web}/field { header "X-Wanted: yes" body "as wanted" }`, 'ok 200'],
    [`${web}/method?a=b { host plain.test body "GET HTTP/1.1 plain.test a=b" }`, 'ok 200'],
    [
      `${web}/method { version 1.0 method OPTIONS host plain.test body "OPTIONS HTTP/1.0 plain.test" }`,
      'ok 200',
    ],
    [`${web}/chunked { method HEAD }`, 'ok 200'],
    [`${web}/moved { status 302 }`, 'ok 302'],
    [
      `${web}/moved { redirects 1 ca ${CA} body "It works" }`,
      'ok 200',
      /^redirected to https:\/\/good\.test\/$/,
    ],
    [`${web}/moved { redirects 1 }`, 'tls-untrusted', /^redirected to https:\/\/good\.test\/: /],
    [
      `https://good.test/back { ca ${CA} redirects 2 body "It works" }`,
      'ok 200',
      /to http:\/\/plain\.test\/$/,
    ],
    [`${web}/circle { redirects 5 }`, 'redirect-limit 302'],
    [`${web}/lost { redirects 5 }`, 'redirect-scheme 302'],
    ['tcp://two.test:80 { addresses all }', 'ok'],
    [`https://good.test/ { ca ${CA} body "It works" }`, 'ok 200'],
    [`https://[::1]/ { ca ${CA} servername good.test }`, 'ok 200'],
    ['https://good.test/', 'tls-untrusted'],
    ['https://good.test/ { verify no }', 'ok 200'],
    [`https://expired.test/ { ca ${CA} }`, 'tls-expired'],
    [`https://soon.test/ { ca ${CA} }`, 'ok 200'],
    [`https://soon.test/ { ca ${CA} days 14 }`, 'tls-expires-soon 5'],
    ['https://soon.test/ { verify no days 14 }', 'tls-expires-soon 5'],
    [`https://good.test/ { ca ${CA} days 14 }`, 'ok 200'],
    [`https://wrong.test/ { ca ${CA} }`, 'tls-name'],
    [`https://good.test:80/ { ca ${CA} }`, 'tls-handshake'],
    [`http://good.test:443/`, 'http-status 400'],
    [`tls://good.test:443 { ca ${CA} }`, 'ok'],
    [
      `tls://good.test:443 { ca ${CA} send "GET / HTTP/1.0\\r\\n\\r\\n" expect "200 OK" expect "works here" }`,
      'ok',
    ],
    ['https://nowhere.test/', 'dns'],
    ['exec:/usr/lib/nagios/plugins/check_http?arg=-I&arg=127.0.0.1', 'ok', /^HTTP OK.* \| time=/],
    [
      'exec:/usr/lib/nagios/plugins/check_http?arg=-I&arg=127.0.0.1&arg=-u&arg=/ill',
      'plugin-fail 2',
      /^HTTP CRITICAL/,
    ],
    [
      'exec:/usr/lib/nagios/plugins/check_http?arg=-I&arg=127.0.0.1&arg=-u&arg=/none { warning fail }',
      'plugin-fail 1',
    ],
    [
      'exec:/usr/lib/nagios/plugins/check_http?arg=-I&arg=127.0.0.1&arg=-u&arg=/none',
      'ok 1',
      /^HTTP WARNING/,
    ],
  ],
  down: [
    [`${web}/`, 'refused'],
    ['http://[::1]/ { body "It works" }', 'refused'],
    [`https://good.test/ { ca ${CA} body "It works" }`, 'refused'],
    ['tcp://two.test:80 { addresses all }', 'refused'],
    ['exec:/usr/lib/nagios/plugins/check_http?arg=-I&arg=127.0.0.1', 'plugin-fail 2'],
  ],
  // What nginx tells of a client that breaks off is of the level info.
  complaints: /\[(warn|error|crit|alert|emerg)\](?!.*(No such file|access forbidden|password mismatch))/,
};
