/**
 * Plugins: dmonitor's (`OK` or `FAIL` on stdout) and those of the monitoring-plugins convention (exit status 0, 1, 2, 3, first line,
 * performance data after `|`). What a plugin says is judged here; running it is wire-exec.ts.
 * Source: dmonitor's description; monitoring-plugins developer guidelines.
 */
import type { Flight } from './flight.js';
import { codeOfNature, OK } from './natures.js';
import { type Dialogue, MORE } from './plan.js';

const FAIL = codeOfNature('plugin-fail');
const SIGNAL = codeOfNature('plugin-signal');
const MISSING = codeOfNature('plugin-missing');
const TIMEOUT = codeOfNature('plugin-timeout');
const OUTPUT_BYTES_MAX = 16_384;

/** How a plugin ended, as its wire tells. */
export interface PluginExit {
  code: number | null;
  signal: number;
}

export interface PluginVerdict {
  nature: 'ok' | 'plugin-fail' | 'plugin-signal' | 'plugin-missing';
  detail: number;
  /** The first line without the performance data. */
  text: string;
  /** Performance data as it stands, '' for none. */
  performance: string;
}

/** `warningFails`: WARNING is a failure. Pure. */
export function judgePlugin(output: string, exit: PluginExit, warningFails: boolean): PluginVerdict {
  const [line = ''] = output.split('\n', 1);
  const bar = line.indexOf('|');
  const text = (bar < 0 ? line : line.slice(0, bar)).trim();
  const performance = bar < 0 ? '' : line.slice(bar + 1).trim();
  const say = (nature: PluginVerdict['nature'], detail: number): PluginVerdict => ({
    nature,
    detail,
    text,
    performance,
  });
  if (exit.code === null) return say('plugin-signal', exit.signal);
  // dmonitor's word alone decides, whatever the exit status says.
  if (text === 'OK' && output.trim() === 'OK') return say('ok', 0);
  if (output.trim() === 'FAIL') return say('plugin-fail', exit.code);
  // What a shell says of a program that is not there, or cannot be executed.
  if (exit.code === 127 || exit.code === 126) return say('plugin-missing', exit.code);
  if (exit.code === 0) return say('ok', 0);
  // A warning says what it warns of; without a word it is a program that has failed: false(1), an uncaught exception, `set -e`.
  if (exit.code === 1 && !warningFails && text !== '') return say('ok', 1);
  return say('plugin-fail', exit.code);
}

/** `flight.talk` is the PluginExit when its end is told. */
export function pluginDialogue(warningFails: boolean): Dialogue {
  return {
    opening: () => null,
    receive(flight, bytes, length) {
      // What is beyond is read and dropped: it would not be shown.
      const room = Math.min(length, OUTPUT_BYTES_MAX - flight.keptLength);
      if (room > 0) flight.keep(bytes, room, OUTPUT_BYTES_MAX);
      return MORE;
    },
    end(flight: Flight) {
      const output = flight.kept?.toString('utf8', 0, flight.keptLength) ?? '';
      const verdict = judgePlugin(output, flight.talk as PluginExit, warningFails);
      flight.detail = verdict.detail;
      flight.text = verdict.performance === '' ? verdict.text : `${verdict.text} | ${verdict.performance}`;
      if (verdict.nature === 'ok') return OK;
      return verdict.nature === 'plugin-signal'
        ? SIGNAL
        : verdict.nature === 'plugin-missing'
          ? MISSING
          : FAIL;
    },
    late: () => TIMEOUT,
    goodbye: null,
  };
}
