// A plugin for esbuild that replaces what yargs lays its help out with (string-width, strip-ansi, wrap-ansi). Their
// Unicode tables and Intl.Segmenter cost half of a Node start at every start of a program; our help is plain ASCII.
const replacements = {
  'string-width': 'export default (text) => text.length;',
  'strip-ansi': 'export default (text) => text;',
  'wrap-ansi': `export default (text, columns) => text.split('\\n').map((line) => wrap(line, columns)).join('\\n');
    function wrap(line, columns) {
      const rows = [];
      let row = '';
      for (const word of line.split(' ')) {
        if (row !== '' && row.length + 1 + word.length > columns) {
          rows.push(row);
          row = word;
        } else row = row === '' ? word : row + ' ' + word;
      }
      return [...rows, row].join('\\n');
    }`,
};

export const asciiLayout = {
  name: 'ascii-layout',
  setup(build) {
    const filter = /^(string-width|strip-ansi|wrap-ansi)$/;
    build.onResolve({ filter }, ({ path }) => ({ path, namespace: 'ascii-layout' }));
    build.onLoad({ filter: /.*/, namespace: 'ascii-layout' }, ({ path }) => ({
      contents: replacements[path],
    }));
  },
};
