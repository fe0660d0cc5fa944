/**
 * A service for the tests: while it lives it appends a beat to a file every few milliseconds, with CLOCK_MONOTONIC, so
 * that two of them alive at the same time cannot go unnoticed. Usage: beater FILE NODE EPOCH PIDFILE [INTERVAL_MS].
 */
import { appendFileSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';

const [file = '', node = '', epoch = '', pidfile = '', intervalMs = '2'] = process.argv.slice(2);
const fd = openSync(file, 'a');

/** One line is one write of a few bytes: lines of several writers never mix (O_APPEND). */
function beat(): void {
  writeSync(fd, `${process.hrtime.bigint()} ${node} ${epoch} ${process.pid}\n`);
}

beat();
writeFileSync(`${pidfile}.new`, `${process.pid}\n`);
renameSync(`${pidfile}.new`, pidfile);
setInterval(beat, Number(intervalMs));
process.on('SIGTERM', () => {
  appendFileSync(file, '');
  process.exit(0);
});
