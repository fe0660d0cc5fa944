/** Levels of loggers that exist: pino fixes a child's level when it is made, but an operator's word counts for all. */
import type { Logger } from 'pino';

export interface LevelKeeper {
  /** Called by pino with every child logger. */
  add(child: Logger): void;
  /** Sets the level of the logger and of all its children that are still in use. */
  set(root: Logger, level: string): void;
}

export function keepLevels(): LevelKeeper {
  let children: WeakRef<Logger>[] = [];
  let lookAgainAt = 64;
  const forgetUnused = (): void => {
    children = children.filter((child) => child.deref() !== undefined);
    lookAgainAt = Math.max(64, 2 * children.length);
  };
  return {
    add(child) {
      if (children.length >= lookAgainAt) forgetUnused();
      children.push(new WeakRef(child));
    },
    set(root, level) {
      root.level = level;
      for (const child of children) {
        const logger = child.deref();
        if (logger !== undefined) logger.level = level;
      }
    },
  };
}
