/**
 * How a thing stands, for colour and shape; a word always stands beside it. good: as it should be. busy: on its way. quiet: nothing to
 * say. warn: to be looked at. bad: the service suffers. unknown: nobody knows, never coloured as anything else.
 */
export type Tone = 'good' | 'busy' | 'quiet' | 'warn' | 'bad' | 'unknown';

const severity: readonly Tone[] = ['quiet', 'good', 'busy', 'unknown', 'warn', 'bad'];

/** The most serious one; quiet for none. */
export function worst(tones: readonly Tone[]): Tone {
  return tones.reduce<Tone>(
    (one, other) => (severity.indexOf(other) > severity.indexOf(one) ? other : one),
    'quiet',
  );
}
