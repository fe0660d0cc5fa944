/** The statements of the section for HTTP: their names and what follows them. */
import type { Rule } from './grammar.js';

const HTTP = ['http'] as const;

export const HTTP_RULES: readonly Rule[] = [
  rule('listen', 'word', 'an address such as 127.0.0.1:8480, or none'),
  rule('token', 'secret', 'a string'),
  rule('token_file', 'path', 'the path of a file'),
  rule('user', 'list', 'names of users, of which the first that exists counts'),
  rule('health', 'word', 'open or token'),
];

function rule(name: string, argument: Rule['argument'], expected: string): Rule {
  return { name, argument, sections: HTTP, ancestor: false, expected };
}
