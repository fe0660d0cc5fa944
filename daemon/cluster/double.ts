/** Nodes that both say they run a resource. Pure. */
import type { DoubleRun, NodeReport } from '../../proto/cluster-types.js';
import type { StatusEntry } from '../../proto/control-types.js';

/** A node's word that it runs a resource, and under which lease. */
function claimsOf(reports: readonly NodeReport[]): { node: string; entry: StatusEntry }[] {
  return reports.flatMap(({ node, said }) =>
    (said?.status ?? []).filter(({ state }) => state === 'run').map((entry) => ({ node, entry })),
  );
}

/** Resources that more than one of these nodes says it runs, in the order in which they are first spoken of. */
export function claimedTwice(reports: readonly NodeReport[]): DoubleRun[] {
  const claims = claimsOf(reports);
  const resources = [...new Set(claims.map(({ entry }) => entry.resource))];
  return resources
    .map((resource) => ({
      resource,
      nodes: claims.filter(({ entry }) => entry.resource === resource).map(({ node }) => node),
    }))
    .filter(({ nodes }) => nodes.length > 1);
}

/**
 * Those of them that ran at one and the same moment, as far as can be known: answers of two nodes are not of one moment, and between them
 * a resource may lawfully have moved. So all have been asked once more when all had answered, and a claim counts where a node says the same
 * again, under the same epoch: then it ran all the time between, in which the other one said that it did.
 */
export function doubleRuns(first: readonly NodeReport[], second: readonly NodeReport[]): DoubleRun[] {
  const before = claimsOf(first);
  const lasting = claimsOf(second).filter(({ entry, node }) =>
    before.some(
      (claim) =>
        claim.node === node &&
        claim.entry.resource === entry.resource &&
        claim.entry.lease.epoch === entry.lease.epoch,
    ),
  );
  return claimedTwice(second)
    .map(({ nodes, resource }) => ({
      resource,
      nodes: nodes.filter((node) =>
        lasting.some((claim) => claim.node === node && claim.entry.resource === resource),
      ),
    }))
    .filter(({ nodes }) => nodes.length > 1);
}
