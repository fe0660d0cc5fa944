/** Commands that the core of a resource has not answered yet, and whom to tell. */

/** The answer to a command: `error` is '' where it was done. */
export interface CommandReply {
  error: string;
  text: string;
  /** False: it was accepted and is under way. */
  done: boolean;
}

export interface CommandReplies {
  /** Gives a command its number by `begin`, and resolves with its answer; `wait` false: at once, unless it is answered at once. */
  open(begin: (id: number) => void, wait: boolean, progress: (text: string) => void): Promise<CommandReply>;
  /** How far a command is; nothing where nobody waits for it any more. */
  progress(id: number, text: string): void;
  answer(id: number, reply: CommandReply): void;
  /** Nothing is answered any more: who waits, and who asks from now on, hears why. */
  close(why: string): void;
}

export function createCommandReplies(): CommandReplies {
  const waiting = new Map<
    number,
    { done: (reply: CommandReply) => void; progress: (text: string) => void }
  >();
  let last = 0;
  /** Why there are no answers any more; '' while there are. */
  let closed = '';

  function answer(id: number, reply: CommandReply): void {
    waiting.get(id)?.done(reply);
    waiting.delete(id);
  }

  /** What has been answered already stays so. */
  function refuse(id: number): void {
    answer(id, { error: closed, text: '', done: true });
  }

  return {
    open(begin, wait, progress) {
      last += 1;
      const id = last;
      return new Promise((resolve) => {
        waiting.set(id, { done: resolve, progress });
        begin(id);
        if (closed !== '') refuse(id);
        if (!wait) answer(id, { error: '', text: 'under way', done: false });
      });
    },
    progress: (id, text) => waiting.get(id)?.progress(text),
    answer,
    close(why) {
      closed = why;
      for (const id of [...waiting.keys()]) refuse(id);
    },
  };
}
