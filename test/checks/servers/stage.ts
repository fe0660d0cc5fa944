/**
 * A place for real servers: programs of this machine with a directory and a log each, in namespaces of their own, so that every
 * port is free and nothing is left when the first process of it ends. Needs root. Source: unshare(1), namespaces(7).
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { until } from '../../system/wait.js';

export interface Program {
  /** Its own directory, which every user may pass through. */
  directory: string;
  /** What it has written to its log and to its standard output. */
  log(): string;
  /** Ends it with a signal of its own choice, and waits for that. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  pid: number;
}

export interface Stage {
  folder: string;
  /** Makes a directory for a server; `owner`: a user's name. */
  directory(name: string, owner?: string): string;
  /** Writes a file there. */
  write(directory: string, name: string, text: string): string;
  /** Runs a program to its end; throws with what it said. */
  run(program: string, args: readonly string[]): string;
  /** The same for what takes long. */
  setUp(program: string, args: readonly string[]): Promise<void>;
  /** Starts a server, which stays in the foreground. */
  start(directory: string, program: string, args: readonly string[]): Program;
}

/** Where the programs of servers are, that are no program of users. */
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';
const STOP_MS = 15_000;

/** To be called inside of the namespaces. */
export function createStage(folder: string): Stage {
  chmodSync(folder, 0o755);
  const env = { PATH, LC_ALL: 'C.UTF-8', HOME: folder };
  return {
    folder,
    directory(name, owner = 'root') {
      const directory = path.join(folder, name);
      mkdirSync(directory, { recursive: true, mode: 0o755 });
      execFileSync('chown', [owner, directory], { env });
      return directory;
    },
    write(directory, name, text) {
      const file = path.join(directory, name);
      writeFileSync(file, text);
      return file;
    },
    run(program, args) {
      try {
        return execFileSync(program, args, { env, cwd: '/', encoding: 'utf8', stdio: 'pipe' });
      } catch (error) {
        const { stderr = '', stdout = '' } = error as { stderr?: string; stdout?: string };
        throw new Error(`${program} ${args.join(' ')}: ${stderr}${stdout}`);
      }
    },
    async setUp(program, args) {
      await promisify(execFile)(program, args, { env, cwd: '/' });
    },
    start: (directory, program, args) => startProgram(directory, program, args, env),
  };
}

function startProgram(
  directory: string,
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Program {
  const file = path.join(directory, 'log');
  const log = openSync(file, 'a');
  chmodSync(file, 0o666);
  const child: ChildProcess = spawn(program, args, { cwd: '/', env, stdio: ['ignore', log, log] });
  child.on('error', (error) => writeFileSync(file, `${error.message}\n`, { flag: 'a' }));
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    directory,
    pid: child.pid ?? 0,
    log: () => readFileSync(file, 'utf8'),
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      await until(ended, STOP_MS, () => `${program} does not end\n${readFileSync(file, 'utf8')}`);
    },
  };
}

/** Makes the namespace's loopback work, hides what servers share with those of the host, and names this machine. */
export function furnish(stage: Stage): void {
  const names = ['good.test', 'expired.test', 'soon.test', 'wrong.test', 'plain.test'];
  const hosts = stage.write(
    stage.folder,
    'hosts',
    `127.0.0.1 localhost ${names.join(' ')}\n::1 localhost\n127.0.0.1 two.test\n127.0.0.9 two.test\n`,
  );
  // Whoever asks for another name asks the server that is tried here.
  const resolver = stage.write(
    stage.folder,
    'resolv.conf',
    'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n',
  );
  stage.run('ip', ['link', 'set', 'lo', 'up']);
  for (const directory of ['/run', '/var/spool', '/var/log'])
    stage.run('mount', ['-t', 'tmpfs', 'none', directory]);
  stage.run('mount', ['--bind', hosts, '/etc/hosts']);
  stage.run('mount', ['--bind', resolver, '/etc/resolv.conf']);
}
