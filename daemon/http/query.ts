/** What stands behind the question mark of a request: read strictly, since what is misspelt must not be passed over. */
import { parseDuration } from '../config/duration.js';

/** By name: what can be given, and how often. */
export type Wanted = Readonly<Record<string, 'word' | 'few' | 'words' | 'count' | 'duration' | 'flag'>>;

export interface Query {
  words(name: string): string[];
  word(name: string): string;
  /** null where it is not given. */
  count(name: string): number | null;
  durationMs(name: string): number | null;
  flag(name: string): boolean;
}

const WORDS_MAX = 100;
/** Each of them is looked for among all that there is. */
const FEW_MAX = 10;

/** Or what is wrong with it. */
export function readQuery(search: URLSearchParams, wanted: Wanted): Query | string {
  for (const name of new Set(search.keys())) {
    const kind = Object.hasOwn(wanted, name) ? wanted[name] : undefined;
    const values = search.getAll(name);
    if (kind === undefined) return `'${name}' is not known here; ${known(wanted)}`;
    const most = kind === 'words' ? WORDS_MAX : kind === 'few' ? FEW_MAX : 1;
    if (values.length > most) return `'${name}' is given too often: ${most} at most`;
    const [value = ''] = values;
    if (kind === 'count' && !/^[0-9]{1,9}$/.test(value)) return `'${name}' has to be a whole number`;
    if (kind === 'flag' && value !== '' && value !== '1') return `'${name}' takes 1, or nothing`;
    if (kind === 'duration' && !parseDuration(value).ok)
      return `'${name}' has to be a duration such as 30s, 10m or 2h`;
  }
  return {
    words: (name) => search.getAll(name),
    word: (name) => search.get(name) ?? '',
    count: (name) => (search.has(name) ? Number(search.get(name)) : null),
    durationMs(name) {
      const parsed = parseDuration(search.get(name) ?? '');
      return parsed.ok ? parsed.value : null;
    },
    flag: (name) => search.has(name),
  };
}

function known(wanted: Wanted): string {
  const names = Object.keys(wanted);
  return names.length === 0 ? 'nothing can be given' : `known: ${names.join(', ')}`;
}
