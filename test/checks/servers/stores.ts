/** Servers that keep data: Redis, PostgreSQL, MariaDB. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { until } from '../../system/wait.js';
import type { Server } from './server.js';

export const redis: Server = {
  name: 'Redis',
  programs: ['redis-server'],
  start(stage) {
    const directory = stage.directory('redis');
    const words = [
      '--port',
      '6379',
      '--bind',
      '127.0.0.1',
      '--dir',
      directory,
      '--save',
      '',
      '--loglevel',
      'verbose',
    ];
    return stage.start(directory, 'redis-server', words);
  },
  up: [
    ['redis://127.0.0.1', 'ok'],
    ['tcp://127.0.0.1:6379 { send "PING\\r\\n" expect "+PONG" }', 'ok'],
  ],
  rude: [['smtp://127.0.0.1:6379 { receive_timeout 300ms }', 'timeout-receive']],
  down: [['redis://127.0.0.1', 'refused']],
  complaints: /Error|reset by peer|Protocol error/i,
  farewells: { pattern: /Client closed connection|Accepted/, least: 1 },
};

export const redisWithPassword: Server = {
  name: 'Redis with a password',
  programs: ['redis-server'],
  start(stage) {
    const directory = stage.directory('redis-secret');
    const words = ['--port', '6380', '--bind', '127.0.0.1', '--dir', directory, '--save', ''];
    return stage.start(directory, 'redis-server', [...words, '--requirepass', 'secret']);
  },
  up: [
    ['redis://:secret@127.0.0.1:6380', 'ok'],
    // It wants a password: so it works.
    ['redis://127.0.0.1:6380', 'ok'],
    ['redis://:wrong@127.0.0.1:6380', 'answer-mismatch'],
  ],
  down: [['redis://:secret@127.0.0.1:6380', 'refused']],
  complaints: /Error|reset by peer/i,
};

const POSTGRES = '/usr/lib/postgresql';

export const postgres: Server = {
  name: 'PostgreSQL',
  programs: ['setpriv'],
  async start(stage) {
    const directory = stage.directory('postgres', 'postgres');
    const data = path.join(directory, 'data');
    const [version = ''] = stage.run('ls', [POSTGRES]).trim().split('\n').reverse();
    const programs = path.join(POSTGRES, version, 'bin');
    const as = ['--reuid=postgres', '--regid=postgres', '--init-groups', '--'];
    const words = ['-D', data, '-U', 'postgres', '-A', 'trust', '-N', '--no-instructions'];
    await stage.setUp('setpriv', [...as, path.join(programs, 'initdb'), ...words]);
    stage.write(
      data,
      'pg_hba.conf',
      'local all all trust\nhost all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 md5\n',
    );
    const settings = [
      ...['listen_addresses=127.0.0.1', `unix_socket_directories=${directory}`, 'fsync=off'],
      ...['log_connections=on', 'log_disconnections=on'],
    ];
    const all = settings.flatMap((setting) => ['-c', setting]);
    return stage.start(directory, 'setpriv', [...as, path.join(programs, 'postgres'), '-D', data, ...all]);
  },
  up: [
    ['postgres://127.0.0.1', 'ok'],
    ['postgres://postgres@127.0.0.1', 'ok'],
    // Who is unknown, or where the database is: a server that says so works.
    ['postgres://nobody@127.0.0.1 { database postgres }', 'ok'],
    ['postgres://postgres@127.0.0.1 { database nowhere }', 'ok'],
  ],
  rude: [['mysql://127.0.0.1:5432 { receive_timeout 300ms }', 'timeout-receive']],
  later: {
    async prepare(stage, program) {
      const [version = ''] = stage.run('ls', [POSTGRES]).trim().split('\n').reverse();
      const session = spawn(
        path.join(POSTGRES, version, 'bin/psql'),
        ['-h', '127.0.0.1', '-U', 'postgres', '-c', 'select pg_sleep(60)'],
        { stdio: 'ignore' },
      );
      await until(
        () => /authorized: user=postgres database=postgres application_name=psql/.test(program.log()),
        10_000,
        'psql',
      );
      // A shutdown that waits for who is there takes nobody new.
      process.kill(program.pid, 'SIGTERM');
      await until(() => program.log().includes('received smart shutdown request'), 5000, 'the shutdown');
      session.unref();
    },
    findings: [['postgres://postgres@127.0.0.1', 'answer-mismatch']],
  },
  down: [['postgres://127.0.0.1', 'refused']],
  stopSignal: 'SIGINT',
  complaints:
    /expected (password|SASL) response|incomplete startup|could not (receive|send)|unexpected EOF|reset by peer|invalid/,
  farewells: { pattern: /disconnection: .*user=postgres/, least: 1 },
};

export const mariadb: Server = {
  name: 'MariaDB',
  programs: ['mariadbd', 'mariadb-install-db'],
  async start(stage) {
    const directory = stage.directory('mariadb', 'mysql');
    const data = path.join(directory, 'data');
    const common = ['--no-defaults', `--datadir=${data}`];
    const small = [
      '--innodb-log-file-size=4M',
      '--innodb-buffer-pool-size=8M',
      '--innodb-flush-log-at-trx-commit=0',
    ];
    await stage.setUp('mariadb-install-db', [
      ...common,
      ...small,
      '--user=mysql',
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ]);
    const begin = stage.write(directory, 'begin.sql', "CREATE USER 'open'@'127.0.0.1';\n");
    return stage.start(directory, 'mariadbd', [
      ...common,
      ...small,
      ...['--user=mysql', '--bind-address=127.0.0.1', '--port=3306', `--socket=${directory}/socket`],
      ...[`--init-file=${begin}`, '--log-warnings=9', '--skip-name-resolve', `--pid-file=${directory}/pid`],
    ]);
  },
  up: [
    ['mysql://127.0.0.1', 'ok'],
    ['mysql://open@127.0.0.1', 'ok'],
  ],
  down: [['mysql://127.0.0.1', 'refused']],
  complaints: /\[ERROR\]|Got an error|Got timeout|Aborted connection .*(?!Access denied)reading/,
  farewells: { pattern: /Access denied for user 'hastmon'/, least: 1 },
};
