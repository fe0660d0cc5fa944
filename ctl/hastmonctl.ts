/** hastmonctl(8): the program. From the command line to the exit status. */
import { exitCode } from '../daemon/process/sysexits.js';
import { readArguments } from './arguments.js';
import { run } from './run.js';
import { processTerminal } from './terminal.js';

const read = await readArguments(process.argv.slice(2));
const terminal = processTerminal();
switch (read.kind) {
  case 'print':
    terminal.print(read.text);
    break;
  case 'refuse':
    terminal.note(`hastmonctl: ${read.message}; see hastmonctl --help`);
    process.exitCode = exitCode.usage;
    break;
  case 'run':
    // A request that is still under way when the time is over keeps nobody here.
    process.exit(await run(read.invocation, terminal));
}
