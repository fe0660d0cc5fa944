/** What `help` says: ipvs-weightman's commands, and what has been added. */
const COMMANDS: readonly string[] = [
  'help | h | ?',
  'show [ vs | hosts ]',
  'show hosts for <vs1,vs2,...>',
  'show hosts [<h1>,<h2>,...] for <vs1,vs2,...>',
  'show host <host> for <vs1,vs2,...>',
  'dump [ status | options | checkers ]',
  'dump [ hosts | host <host> ]',
  'dump vs [<vs>]',
  'set host <host> [ off | on [ [in] <weight ramp duration> ] ]',
  'set host <host> off [on|for|in] vs <vs1,vs2,...> [for <reason1,reason2>]',
  'set host <host> on [on|for|in] vs <vs1,vs2,...> [for <reason1,reason2>] [[in] <weight ramp duration>]',
  'set host <host> weight <n|auto> [on|for|in] vs <vs1,vs2,...>',
  'config [ reload | diff ]',
  'history',
  'log level <n>',
  "!  - run last 'show' command again",
  'quit | exit | CTRL+D',
];

/** Every line is a comment for those who read answers by a program; a console begins with it, too. */
export const HELP = ['# Command Help', ...COMMANDS.map((command) => `#    ${command}`), ''].join('\n');
