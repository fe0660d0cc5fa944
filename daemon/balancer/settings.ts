/** What hastmon.conf says of the balancer; all else is in the balancer's own file. */
export interface BalancerSettings {
  /** Absolute path of its file. */
  file: string;
  /** The name of a resource: the table is active on its primary. '' where it is active on every node. */
  whilePrimary: string;
  /** Virtual services of the file that exist in the kernel already are taken over. */
  adopt: boolean;
  /** What becomes of somebody else's changes of its services. */
  foreign: 'restore' | 'leave';
  /** The kernel's connection synchronization, ipvsadm --start-daemon; null: none. The id is from 0 to 255. */
  sync: { interface: string; id: number } | null;
  /** Instead of Management.Socket.*: 'file' as the file says, null: none. */
  console: 'file' | null | { address: string; port: number };
}
