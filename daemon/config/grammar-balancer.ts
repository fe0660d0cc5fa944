/** The statements of the balancer's section: their names and what follows them. Its own file has a format of its own. */
import type { Rule, SectionKind } from './grammar.js';

const BALANCER = ['balancer'] as const;

export const BALANCER_RULES: readonly Rule[] = [
  rule('balancer', 'block', ['global'], '{ config FILE … }'),
  rule('config', 'path', BALANCER, "the path of the balancer's file"),
  rule('while', 'condition', BALANCER, 'primary and the name of a resource'),
  rule('nodes', 'list', BALANCER, 'names of nodes'),
  rule('adopt', 'word', BALANCER, 'yes or no'),
  rule('foreign', 'word', BALANCER, 'restore or leave'),
  rule('sync_interface', 'word', BALANCER, 'the name of a network interface, or none'),
  rule('sync_id', 'count', BALANCER, 'a whole number from 0 to 255'),
  rule('console', 'word', BALANCER, 'an address such as 127.0.0.1:9000, or none'),
];

function rule(
  name: string,
  argument: Rule['argument'],
  sections: readonly SectionKind[],
  expected: string,
): Rule {
  return { name, argument, sections, ancestor: false, expected };
}
