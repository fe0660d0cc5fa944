/** Carries `drill` out: computes what would follow from each failure, or tries it. */
import { exitCode } from '../daemon/process/sysexits.js';
import { drillJson, formatDrill, isSafe } from './drill.js';
import type { DrillTask, MatrixTask } from './drill-arguments.js';
import { computed, type Drilled, gathered } from './drill-facts.js';
import type { Session } from './run.js';

/** Gives the exit status. */
export async function runDrill(session: Session, task: DrillTask): Promise<number> {
  if (task.kind === 'drill-matrix') return matrix(session, task);
  const { runForReal } = await import('./run-for-real.js');
  return runForReal(session, task);
}

async function matrix(session: Session, { check, resources }: MatrixTask): Promise<number> {
  const { invocation, terminal } = session;
  const drilled: Drilled[] = [];
  const all = await gathered(session, resources);
  for (const [index, known] of all.entries()) {
    if (all.length > 1)
      terminal.progress(`computing ${known.asked.resource} (${index + 1} of ${all.length})`);
    drilled.push(await computed(known, () => {}));
  }
  terminal.progress('');
  if (invocation.json) {
    terminal.print(`${JSON.stringify(drilled.map(drillJson), null, 2)}\n`);
  } else {
    if (drilled.length === 0) terminal.note('hastmonctl: this node has no resources');
    const space = { columns: terminal.columns(), colour: terminal.colour };
    terminal.print(drilled.map((one) => formatDrill(one, space)).join('\n'));
  }
  return check && !drilled.every(isSafe) ? exitCode.no : exitCode.ok;
}
