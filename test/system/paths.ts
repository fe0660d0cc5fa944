/** Where things are, seen from dist/test/system. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
/** The repository. */
export const root = path.resolve(here, '../../..');
export const hastmond = path.join(root, 'dist/bin/hastmond.js');
export const hastmonctl = path.join(root, 'dist/bin/hastmonctl.js');
export const beater = path.join(here, 'beater.js');
export const service = path.join(root, 'test/system/service.sh');
