/**
 * The words of the balancer: what its file says, the kernel's table, and what operators ask of it. Weights are whole numbers from 0 to
 * WEIGHT_MAX. Durations are in milliseconds unless a name says otherwise.
 */
import type { CheckSpec } from '../checks/spec.js';

/** The kernel's limit (ip_vs.h keeps weights in an int). */
export const WEIGHT_MAX = 2 ** 31 - 1;

/** A virtual service as ipvsadm(8) is told of it, with numeric addresses: `-t 10.0.0.1:80`, `-u [fd00::1]:53`, `-f 5`, `-f 5 -6`. */
export type ServiceKey = string;
/** A real server in the table: `10.0.0.2:80`, `[fd00::2]:80`. With a firewall mark the port is 0. */
export type ServerKey = string;

/** How packets get to a real server: NAT, direct routing, tunnel (ipvsadm's -m, -g, -i). */
export type Method = 'masq' | 'gate' | 'ipip';

export interface TableServer {
  weight: number;
  method: Method;
  /** What else ipvsadm -S says of it (`--tun-type gue …`), as it says it; '' for nothing. Not looked at in comparisons. */
  more: string;
}

export interface TableService {
  scheduler: string;
  /** Seconds; 0: none. */
  persistenceSeconds: number;
  /** What else ipvsadm -S says of it (`-M 255.255.255.0`, `-o`, `-b flag-1`), as it says it; '' for nothing. Not looked at in comparisons. */
  more: string;
  servers: ReadonlyMap<ServerKey, TableServer>;
}

/** The kernel's table, or a wanted one. */
export type Table = ReadonlyMap<ServiceKey, TableService>;

/** One operation on the table: one line of ipvsadm -R. */
export type Change =
  | {
      kind: 'add-service' | 'edit-service';
      service: ServiceKey;
      scheduler: string;
      persistenceSeconds: number;
      more: string;
    }
  | { kind: 'delete-service'; service: ServiceKey }
  | {
      kind: 'add-server' | 'edit-server';
      service: ServiceKey;
      server: ServerKey;
      method: Method;
      weight: number;
      more: string;
    }
  | { kind: 'delete-server'; service: ServiceKey; server: ServerKey };

/** What the kernel counts for a real server. */
export interface Connections {
  active: number;
  inactive: number;
}

/** How a weight comes back: as ipvs-weightman does it, evenly, or slowly first. */
export type Curve = 'weightman' | 'linear' | 'slowstart';

/** What the balancer's file says. Host names in it are not resolved yet. */
export interface BalancerConfig {
  options: BalancerOptions;
  /** In the order of the file, as hosts. */
  services: readonly ServiceConfig[];
  hosts: readonly HostConfig[];
}

export interface BalancerOptions {
  /** Absent where nobody is to be told. */
  email: EmailOptions | null;
  /** Down, or off, for so long: weights come back gradually. */
  rampTriggerMs: number;
  rampMs: number;
  /** The file is looked at by itself, this often. */
  autoCheck: boolean;
  checkPeriodMs: number;
  log: { path: string; syslog: boolean; stderr: boolean; level: number };
  /** Where the state is kept between runs. */
  database: string;
  ipvsadm: string;
  /** null: none. */
  console: { address: string; port: number } | null;
  /** '' for none. */
  fifo: string;
  /** The tag of a host, '' for none. */
  sorryDefault: string;
  sorryFallback: { host: string; title: string; address: string } | null;
}

export interface EmailOptions {
  /** host or host:port. */
  server: string;
  from: string;
  replyTo: string;
  to: readonly string[];
}

export interface ServiceConfig {
  tag: string;
  protocol: 'tcp' | 'udp' | 'sctp' | 'fwmark';
  /** A name or a numeric address without brackets; for fwmark '' (IPv4) or '::' (IPv6). */
  host: string;
  /** The port, or the firewall mark. */
  port: number;
  /** Of the servers that do not say their own; 0 for a firewall mark that says none. With a mark, only checks have use for it. */
  realPort: number;
  scheduler: string;
  method: Method;
  persistenceSeconds: number;
  /** null: none (`-`), its servers count as passing. */
  check: ServiceCheck | null;
  email: boolean;
  /** The tag of its own sorry server, '' for the default one. */
  sorry: string;
  /**
   * As in keepalived.conf(5): below `quorum - hysteresis` of weight alive the service counts as having none and the sorry server is in;
   * from `quorum + hysteresis` on it is out again. 1 and 0 by default.
   */
  quorum: number;
  hysteresis: number;
  curve: Curve;
  /** For this service instead of Ramping.*; null: those. */
  rampTriggerMs: number | null;
  rampMs: number | null;
  /** One that exists in the kernel already, and is not known to be its own, is taken over. */
  adopt: boolean;
  /** In its file, from 1. */
  line: number;
}

/** How the servers of a service are checked. */
export interface ServiceCheck {
  /** As the file writes it; passwords masked. */
  shown: string;
  /**
   * The check of one server: `address` is numeric. Two services whose checks have the same `name` for a server share that check. It is
   * plain data but for this function.
   */
  of(address: string, port: number): CheckSpec;
}

export interface HostConfig {
  tag: string;
  /** A name or a numeric address without brackets. */
  host: string;
  /** 0: that of the service. */
  port: number;
  /** By tags of services. */
  weights: ReadonlyMap<string, number>;
  line: number;
}

/** Where servers and services are, by what the file writes: numeric addresses. What does not resolve is not in it. */
export type Addresses = ReadonlyMap<string, string>;

/** The name of a reason that is not named. */
export const DEFAULT_REASON = 'default';

/** What an operator wants changed. `services` and `reasons` with `'*'` alone: all of them. `by`: who. */
export type BalancerCommand =
  /** The whole host, whatever the services: `services` null. */
  | {
      kind: 'off';
      hosts: readonly string[];
      services: readonly string[] | null;
      reasons: readonly string[];
      by: string;
    }
  | {
      kind: 'on';
      hosts: readonly string[];
      services: readonly string[] | null;
      reasons: readonly string[];
      /** Weights come back over this time; null: as the configuration says. */
      rampMs: number | null;
      by: string;
    }
  /** Another full weight than the file's until it is taken back (null). */
  | {
      kind: 'weight';
      hosts: readonly string[];
      services: readonly string[];
      weight: number | null;
      by: string;
    }
  /** Takes over virtual services that exist in the kernel; `'*'`: all that are in the file. */
  | { kind: 'adopt'; services: readonly string[]; by: string };

/** Whose word the views of the balancer are: the director's, as it was heard last. */
export interface DirectorWord {
  /** This node, where its table counts; '' where no director has been heard since hastmond began. */
  node: string;
  /** Since it was heard last, 0 for this node; without a node, since hastmond began. */
  ageMs: number;
  /** It is connected, is the director as far as is known here, and has told all that it knows. False: what it said counts no more. */
  fresh: boolean;
}

/** One server of one service, as people see it. Ages and times left are in milliseconds. */
export interface PairView {
  host: string;
  service: string;
  /** `10.0.0.2:80`; '' where the name does not resolve. */
  real: string;
  /** `1.2.3.4:80`, `fwmark 5`. */
  virtual: string;
  /**
   * Since when nobody here knows what the director would say of it; null: it is known. What is not known is null here, empty or false:
   * all but the names, the kernel's part, and the file's weight.
   */
  unknownMs: number | null;
  disabled: boolean;
  /** In order; who gave them, and how long ago. A host that is off as a whole has the reason '' besides. */
  reasons: readonly { name: string; by: string; age: number }[];
  /** The full weight of the file, or the operator's. */
  weight: number;
  overridden: boolean;
  /** What the table is to have now. */
  stateWeight: number;
  /** What it is to have when a ramp is over; null: not known. */
  desiredWeight: number | null;
  /** What the kernel has; null: it is not in the table. */
  procWeight: number | null;
  /** null: nobody knows, since the kernel's table cannot be read. */
  connections: Connections | null;
  /** null: no ramp. */
  ramp: { durationMs: number; leftMs: number } | null;
  status: TStatus;
  check: {
    /** '' for none. */
    name: string;
    state: 'up' | 'down' | 'unknown';
    nature: string;
    /** Since the last change; null: never. */
    sinceAge: number | null;
    passAge: number | null;
  };
  sorry: boolean;
}

/** `?-UNKNOWN`: the director's word is too old. */
export type TStatus = '0-DISABLED' | '0-ENABLED' | '1-AWAITPASS' | '1-RAMPING' | '?-UNKNOWN';

/** A virtual service, as people see it. */
export interface ServiceView {
  service: string;
  virtual: string;
  scheduler: string;
  method: Method;
  persistenceSeconds: number;
  check: string;
  /** As of a server: null where it is known. */
  unknownMs: number | null;
  /** Servers in the file, those with weight now, and the sum of the weights; null: not known. */
  servers: number;
  alive: number | null;
  weight: number | null;
  /** The tag of the sorry server that is in, '' for none. */
  sorry: string;
  /** How long the sorry server has been in; null: it is not. */
  sorryAge: number | null;
  /** It is in the kernel's table, and this balancer's. */
  owned: boolean;
  /** Why its table is not as wanted, or is not touched; '' for nothing. */
  problem: string;
}
