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
