/** Answers what hastmonctl asks. */
import type { BalancerAnswer } from '../../../proto/balancer-types.js';
import type { ExplainedServers } from '../../../proto/explain-types.js';
import { createSessions } from '../console/sessions.js';
import type { ConsoleHost } from '../console/types.js';
import type { BalancerQuestion } from '../ipc.js';
import type { DirectorWord } from '../types.js';
import type { FileKeeper } from './file-keeper.js';

export interface Answers {
  answer(what: BalancerQuestion): Promise<Reply>;
}

interface Reply {
  error: { code: number; message: string } | null;
  text: string;
  answer: BalancerAnswer | null;
  explained?: ExplainedServers;
}

const EX_NOHOST = 68;
const EX_CONFIG = 78;

export function createAnswers(options: {
  host: ConsoleHost;
  file: FileKeeper;
  problem: () => string;
  /** Whose word the views are. */
  source: () => DirectorWord;
  /** The servers that the name means. */
  explain: (name: string, node: string) => ExplainedServers['explanations'];
}): Answers {
  const { file, host } = options;
  const say = createSessions(host);

  /** What may be wrong with what is shown. */
  const note = (): string => [file.problem(), options.problem()].filter((text) => text !== '').join('\n');
  const some = (names: readonly string[]): readonly string[] | null => (names.length === 0 ? null : names);

  function unknown(hosts: readonly string[], services: readonly string[]): string {
    const config = host.config();
    const missing = (names: readonly string[], known: readonly { tag: string }[], what: string): string[] =>
      names
        .filter((name) => known.every(({ tag }) => tag !== name))
        .map((name) => `there is no ${what} ${name} in the balancer's file`);
    return [
      ...missing(hosts, config.hosts, 'host'),
      ...missing(services, config.services, 'virtual service'),
    ].join('\n');
  }

  async function consoleLine(session: string, by: string, line: string): Promise<Reply> {
    const { ended, text } = await say(session, by, line);
    return { error: null, text: '', answer: { kind: 'console', text, ended } };
  }

  async function answer(what: BalancerQuestion): Promise<Reply> {
    switch (what.kind) {
      case 'balancer-hosts': {
        const missing = unknown(what.hosts, what.services);
        if (missing !== '') return failed(EX_NOHOST, missing);
        await host.refresh();
        const hosts = host.pairs(some(what.hosts), some(what.services));
        return {
          error: null,
          text: '',
          answer: { kind: 'hosts', hosts, note: note(), source: options.source() },
        };
      }
      case 'balancer-services': {
        const missing = unknown([], what.services);
        if (missing !== '') return failed(EX_NOHOST, missing);
        const services = host.services(some(what.services));
        return {
          error: null,
          text: '',
          answer: { kind: 'services', services, note: note(), source: options.source() },
        };
      }
      case 'balancer-set': {
        const { error, text } = await host.command(what.command);
        return error === ''
          ? { error: null, text, answer: null }
          : failed(EX_NOHOST, error.replace(/^# /gm, ''));
      }
      case 'balancer-diff': {
        const { text, wrong } = await file.diff();
        if (wrong) return failed(EX_CONFIG, text.trimEnd());
        return { error: null, text: text || 'a reload would change nothing\n', answer: null };
      }
      case 'balancer-reload': {
        const text = await host.reload();
        return file.problem() === ''
          ? { error: null, text, answer: null }
          : failed(EX_CONFIG, text.trimEnd());
      }
      case 'balancer-console':
        return consoleLine(what.session, what.by, what.line);
      case 'explain': {
        const explanations = options.explain(what.name, what.node);
        const hosts = host.config().hosts.map(({ tag }) => tag);
        return { error: null, text: note(), answer: null, explained: { explanations, hosts } };
      }
      default:
        return what satisfies never;
    }
  }
  return { answer };
}

function failed(code: number, message: string): Reply {
  return { error: { code, message }, text: '', answer: null };
}
