/** Checks that are alike share one plan: of 100,000 checks, few differ in more than where they go. */
import { compileCheck, isHostSaid } from './compile.js';
import type { Plan } from './plan.js';
import type { CheckSpec } from './spec.js';

/** Plans that are remembered; beyond that, sharing begins anew. */
const PLANS_MAX = 4096;

export class PlanShare {
  private readonly plans = new Map<string, Plan>();

  /** The plan of a check; `ca`: the text of the certificates that it names. */
  of(spec: CheckSpec, ca: string): Plan {
    const key = keyOf(spec, ca);
    const known = this.plans.get(key);
    if (known !== undefined) return known;
    const plan = compileCheck(spec, () => ca);
    if (this.plans.size >= PLANS_MAX) this.plans.clear();
    this.plans.set(key, plan);
    return plan;
  }
}

/** All that a plan depends on. */
function keyOf(spec: CheckSpec, ca: string): string {
  const { host, port, portGiven, ...where } = spec.url;
  // Who is told, and what is confirmed how, is nothing that a check does.
  const { confirm: _confirm, alerts: _alerts, depends: _depends, ...options } = spec.options;
  return JSON.stringify([where, portGiven, isHostSaid(spec) ? [host, port] : [], options, ca]);
}
