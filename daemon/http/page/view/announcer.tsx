/** What a screen reader says by itself: alarms at once, moves and the rest when it has finished. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Said, type Spoken, spokenOf } from '../model/alarms.js';

export function Announcer({ said }: { said: Said }): JSX.Element {
  const before = useRef<Said>({ cluster: null, alarms: [], old: false });
  const [spoken, setSpoken] = useState<Spoken>({ alarm: '', news: '' });
  useEffect(() => {
    const next = spokenOf(before.current, said);
    before.current = said;
    // What has been said stays until there is something new: a reader that is late still finds it.
    if (next.alarm !== '' || next.news !== '') setSpoken(next);
  });
  return (
    <div class="hidden">
      <p role="alert">{spoken.alarm}</p>
      <p role="status">{spoken.news}</p>
    </div>
  );
}
