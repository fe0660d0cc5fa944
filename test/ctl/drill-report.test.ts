/** The report of a drill for real: what was measured, beside what was expected. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RealTask } from '../../ctl/drill-arguments.js';
import { compute } from '../../ctl/drill-facts.js';
import { offsetOf, reportText } from '../../ctl/drill-report.js';
import type { Leg, RealResult } from '../../ctl/for-real.js';
import { factsOf } from '../drill/support.js';

const TASK: RealTask = {
  ...{ kind: 'drill-for-real', resource: 'shared', to: '', holdMs: 1000, report: '', back: [] },
};
const DRILLED = compute({ asked: factsOf(), others: [], missing: [] });
const DONE: RealResult = {
  ...{ there: null, back: null, problem: '', role: '', end: 'shared runs on alpha', interrupted: false },
};

/** Asked for at 0, stopped at 1000. */
function legOf(runsAt: number | null, againAt: number | null = null): Leg {
  return { from: 'alpha', to: 'beta', askedAt: 0, stopsAt: 1000, heldAt: null, runsAt, againAt };
}

describe('the report', () => {
  test('has what was measured beside what was expected, and the phases that all nodes saw', () => {
    const result = { ...DONE, there: legOf(1100), back: legOf(1100) };
    const phase = { beginMs: 0, node: 'alpha', setting: 'stop_timeout', settingMs: 5000 };
    const text = reportText({
      ...{ task: TASK, drilled: DRILLED, result },
      expected: { thereMs: 1200, backMs: null },
      ...{
        events: [],
        cut: false,
        versions: { hastmonctl: '1.2', hastmond: '1.3' },
        began: new Date(0),
        ended: new Date(5000),
      },
      failovers: [
        {
          ...{
            epoch: 2,
            from: 'alpha',
            to: 'beta',
            at: 0,
            kind: 'handover',
            text: 'handed over',
            tookMs: 100,
            marks: [],
          },
          phases: [{ ...phase, name: 'stop', tookMs: 40, text: 'a | b\nc' }],
        },
      ],
    });
    assert.match(text, /^\| \*\*without the service, expected\*\* \| 1\.2 s \| - \|$/m);
    assert.match(text, /^\| \*\*without the service, measured\*\* \| 100 ms \| 100 ms \|$/m);
    assert.match(text, /^- hastmonctl 1\.2, hastmond 1\.3 on alpha$/m);
    assert.match(text, /^\| stop \| 40 ms \| alpha \| a \\\| b c \| stop_timeout 5 s \|$/m);
    assert.match(text, /^No event is on record\.$/m);
    assert.match(text, /local time of alpha, UTC[+-]\d\d:\d\d$/m);
  });

  test('says in a sentence how what was measured differs from what was expected', () => {
    const said = (there: Leg | null, back: Leg | null, thereMs: number | null, backMs: number | null) => {
      const text = reportText({
        ...{ task: TASK, drilled: DRILLED, result: { ...DONE, there, back }, expected: { thereMs, backMs } },
        ...{ events: [], failovers: [], cut: false, versions: { hastmonctl: '1', hastmond: '1' } },
        ...{ began: new Date(0), ended: new Date(5000) },
      });
      return /^On the way.*$/m.exec(text)?.[0] ?? '';
    };
    assert.equal(
      said(legOf(3000), legOf(1650), 595, 600),
      'On the way there it was away for 2 s, 1.4 s longer than expected. On the way back it was away for 650 ms, about as long as expected.',
    );
    assert.equal(
      said(legOf(1200), legOf(1100), 2000, null),
      'On the way there it was away for 200 ms, 1.8 s less than expected. On the way back it was away for 100 ms; what was to be expected is not known.',
    );
    assert.equal(
      said(legOf(null, 3000), null, 595, 600),
      'On the way there it was away for 2 s, and was put back: to move it, 595 ms were expected.',
    );
    assert.equal(said(legOf(null), null, 595, 600), '');
  });

  test('has the time without the service also where it was put back', () => {
    const text = reportText({
      ...{ task: TASK, drilled: DRILLED },
      result: { ...DONE, there: legOf(null, 3000), back: null },
      ...{ expected: { thereMs: null, backMs: null }, events: [], failovers: [], cut: true },
      ...{ versions: { hastmonctl: '1', hastmond: '1' }, began: new Date(0), ended: new Date(5000) },
    });
    assert.match(text, /^\| \*\*without the service, measured\*\* \| 2 s, put back \| - \|$/m);
    assert.match(text, /^Collecting this was interrupted: there may be more on record\.$/m);
  });

  test('the offset of local time is told as people write it', () => {
    const at = (minutes: number): string => offsetOf({ getTimezoneOffset: () => minutes } as Date);
    assert.deepEqual(
      [at(0), at(-60), at(210), at(-345)],
      ['UTC+00:00', 'UTC+01:00', 'UTC-03:30', 'UTC+05:45'],
    );
  });
});
