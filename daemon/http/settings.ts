/** What hastmon.conf says of HTTP. */
export interface HttpSettings {
  /** Numeric, without brackets. */
  address: string;
  port: number;
  /** What clients have to know; null: nothing. With `tokenFile` it is null until that has been read. */
  token: string | null;
  /** The absolute path of the file that holds it, '' for none. */
  tokenFile: string;
  /** Names of users, of which the first that exists is what the process becomes where hastmond is root. */
  users: readonly string[];
  /** Whether the paths for load balancers need the token, too; means nothing without one. */
  health: 'open' | 'token';
}
