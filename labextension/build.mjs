/** Build `monitor.js`: one file, as small as it can be. */

import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { build, transform } from 'esbuild';

/** Long names of the view's own parts, which no page, no library and no kernel knows. */
const OWN =
  /^(?:set(?:Narrow|Live|Words|Trouble|Tools|Paused|Folded|Items|Stop)|toggle(?:Pause|d)|open(?:Menu|Errors|Workers)|showError|isSameSize|isNarrow|isWarning|isTall|error(?:Of|Time)|isGone|focus(?:Row|Header|Key)|elementOf|(?:worker)?[rR]ateOf|workerRate|ratesOfLast|ratesBetween|resetPeaks|unshareAll|copyText|changeKernel|insertCell)$/;

const smallStyles = {
  name: 'small-styles',
  setup({ onLoad }) {
    onLoad({ filter: /view[\\/]styles[\\/]\w+\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const found = source.match(/export const (\w+) = `([^`]*)`;\s*$/);
      if (!found) {
        return undefined;
      }
      const [, name, css] = found;
      const { code } = await transform(css.replaceAll('\\\\', '\\'), {
        loader: 'css',
        minify: true
      });
      return { contents: `export const ${name} = ${JSON.stringify(code)};` };
    });
  }
};

await build({
  entryPoints: ['src/widget.ts'],
  outfile: process.argv[2] ?? '../duck_jupyter/monitor/static/monitor.js',
  bundle: true,
  minify: true,
  mangleProps: OWN,
  // Modules are read as UTF-8, always: what is not ASCII needs no escapes.
  charset: 'utf8',
  format: 'esm',
  target: 'es2022',
  legalComments: 'none',
  plugins: [smallStyles]
});
