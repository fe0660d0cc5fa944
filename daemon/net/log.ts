/** What the network and the control socket need of a logger. A pino logger fits as it is. */
type Write = (fields: Record<string, unknown>, text: string) => void;

export interface NetLog {
  debug: Write;
  info: Write;
  warn: Write;
  error: Write;
  /** Single messages (`-dd`); they are built only where isLevelEnabled('trace') says that somebody reads them. */
  trace?: Write;
  isLevelEnabled?: (level: string) => boolean;
}

/** The same log, with the role that the resource of a line has at that moment. */
export function withRole(log: NetLog, roleOf: (resource: string) => string | undefined): NetLog {
  const add = (fields: Record<string, unknown>): Record<string, unknown> => {
    const role = typeof fields.resource === 'string' ? roleOf(fields.resource) : undefined;
    return role === undefined ? fields : { ...fields, role };
  };
  return {
    debug: (fields, text) => log.debug(add(fields), text),
    info: (fields, text) => log.info(add(fields), text),
    warn: (fields, text) => log.warn(add(fields), text),
    error: (fields, text) => log.error(add(fields), text),
    trace: (fields, text) => log.trace?.(add(fields), text),
    isLevelEnabled: (level) => log.isLevelEnabled?.(level) ?? false,
  };
}
