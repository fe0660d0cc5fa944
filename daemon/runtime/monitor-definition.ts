/** What the monitor process is told of a check, with the texts of the files that it names: that process cannot read them. */
import { readFileSync } from 'node:fs';
import type { Definition, Known } from '../checks/ipc.js';
import type { CheckSpec } from '../checks/spec.js';
import { messageOf } from '../sys/errors.js';

/** A check that has a row, as far as the monitor process is told of it. */
export interface Defined {
  spec: CheckSpec;
  /** How it stood before; null: not known. */
  known: Known | null;
  serial: number;
}

/** Or why it cannot be run. */
export function definitionFor(row: number, { known, serial, spec }: Defined): Definition | string {
  try {
    return { row, serial, spec, ca: readCa(spec.options.tls.ca), known };
  } catch (error) {
    return messageOf(error);
  }
}

/** The text of a file of certificates, '' for none. Throws where it cannot be read. */
export function readCa(file: string): string {
  return file === '' ? '' : readFileSync(file, 'utf8');
}
