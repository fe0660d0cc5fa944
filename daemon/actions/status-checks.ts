/** Which checks say whether a resource runs. Pure. */
import type { ActionPlan, Check } from './types.js';

/** The checks of a node that say whether the resource runs there. */
export function statusChecks({ checks }: Pick<ActionPlan, 'checks'>, node: string): Check[] {
  return checks.filter((check) => check.status && (check.node === '' || check.node === node));
}
