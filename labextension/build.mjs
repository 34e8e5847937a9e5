/** Build `monitor.js`: one file, with what it does not need left out. */

import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { build, transform } from 'esbuild';

/** What uPlot hangs on itself and the view has no use for; what is not named is not bundled. */
const UNUSED = [
  'uPlot.join = join;',
  'uPlot.fmtDate = fmtDate;',
  'uPlot.tzDate  = tzDate;',
  'uPlot.addGap = addGap;',
  'uPlot.clipGaps = clipGaps;',
  '(paths.stepped = stepped);',
  '(paths.bars    = bars);',
  '(paths.spline  = monotoneCubic);'
];

/** Scales of time are never asked for, nor are words on an axis. */
const DATES = [
  ['timeAxisSplitsMs(_tzDate)', 'null'],
  ['timeAxisSplitsS(_tzDate)', 'null'],
  [
    'timeAxisVals(_tzDate, timeAxisStamps((ms == 1 ? _timeAxisStampsMs : _timeAxisStampsS), _fmtDate))',
    'null'
  ],
  ['timeSeriesVal(_tzDate, timeSeriesStamp(_timeSeriesStamp, _fmtDate))', 'null'],
  ['timeSeriesVal(_tzDate, timeSeriesStamp(sv, _fmtDate))', 'null'],
  ['timeAxisVals(_tzDate, timeAxisStamps(av, _fmtDate))', 'null'],
  ['timeAxisVal(_tzDate, av)', 'null'],
  ['(opts.fmtDate || fmtDate)', 'null'],
  [
    'const [ timeIncrsMs, _timeAxisStampsMs, timeAxisSplitsMs ] = genTimeStuffs(1);',
    ''
  ],
  [
    'const [ timeIncrsS,  _timeAxisStampsS,  timeAxisSplitsS  ] = genTimeStuffs(1e-3);',
    ''
  ],
  ['ms == 1 ? timeIncrsMs : timeIncrsS', 'null']
];

function replaceOnce(text, [old, wanted]) {
  if (text.split(old).length !== 2) {
    throw new Error(`uPlot is another one, it has no single: ${old}`);
  }
  return text.replace(old, () => wanted);
}

/** Long names of the view's own parts, which no page, no library and no kernel knows. */
const OWN =
  /^(?:set(?:Narrow|Live|Words|Trouble|Tools|Paused|Folded|Items|Stop)|toggle(?:Pause|d)|open(?:Menu|Errors|Workers)|showError|isSameSize|isNarrow|isWarning|isTall|error(?:Of|Time)|isGone|focus(?:Row|Header|Key)|elementOf|(?:worker)?[rR]ateOf|workerRate|waitingOf|ratesOfLast|ratesBetween|mostWaiting|resetPeaks|unshareAll|copyText|changeKernel|insertCell)$/;

const leaveOut = {
  name: 'leave-out',
  setup({ onLoad }) {
    onLoad({ filter: /uPlot\.esm\.js$/ }, async ({ path }) => {
      const edits = [...UNUSED.map(line => [line, '']), ...DATES];
      return { contents: edits.reduce(replaceOnce, await readFile(path, 'utf8')) };
    });
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
  plugins: [leaveOut]
});
