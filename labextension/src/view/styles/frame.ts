/** Tokens, the frame, the head, the charts and the tabs. */

export const frame = `
/* The monitor's stylesheet. It lives in a shadow root; every colour comes from the theme.
   Order: tokens, frame, head, charts, tabs, grid rows, parts, workers, errors, memory, absences, narrow. */

/* tokens ------------------------------------------------------------------------------------------------ */
:host {
  display: block;
  font-size: var(--jp-ui-font-size1, 13px); /* the em of the container queries below: 75.3em is 979px at 13px */
  container: duck / inline-size;

  /* surfaces and text: JupyterLab's variable, else VS Code's, else a literal */
  --bg:     var(--jp-layout-color1, var(--vscode-editor-background, #fff));
  --text:   var(--jp-ui-font-color1, var(--vscode-foreground, rgba(0, 0, 0, .87)));
  --faint:  var(--jp-ui-font-color3, rgba(0, 0, 0, .38));
  --ink:    var(--jp-ui-font-color0, var(--vscode-foreground, #000));
  --muted:  color-mix(in srgb, var(--jp-ui-font-color2, var(--vscode-descriptionForeground, rgba(0, 0, 0, .54))) 86%, var(--ink)); /* 4.5:1 on hover too */
  --line:   var(--jp-border-color2, var(--vscode-panel-border, #e0e0e0));
  --line-2: var(--jp-border-color1, var(--vscode-panel-border, #bdbdbd));
  --grid:   color-mix(in srgb, var(--ink) 14%, var(--bg)); /* fainter than what is drawn, also where borders are white */
  --grid-2: color-mix(in srgb, var(--ink) 28%, var(--bg));
  --brand:  var(--jp-brand-color1, #1976d2);
  --good:   var(--jp-success-color1, #388e3c);
  --warn:   color-mix(in oklab, var(--jp-warn-color1, #f57c00) 95%, var(--ink)); /* 3:1 as a shape on white */
  --error:  var(--jp-error-color1, #d32f2f);

  /* derived: always towards the theme's own ink, so light, dark and high contrast follow */
  --hover:  color-mix(in srgb, var(--ink) 5%, transparent);
  --press:  color-mix(in srgb, var(--ink) 10%, transparent);
  --track:  color-mix(in srgb, var(--ink) 10%, transparent);
  --warn-text:  color-mix(in oklab, var(--warn) 74%, var(--ink));
  --error-text: color-mix(in oklab, var(--error) 88%, var(--ink));
  --brand-text: color-mix(in oklab, var(--brand) 86%, var(--ink));

  /* opcodes, and nothing else: two depths of the theme's hue with a neutral between them.
     Told apart by lightness and by place, so by everybody, in every theme. */
  --op-get:     color-mix(in oklab, var(--brand) 80%, var(--bg));
  --op-set:     color-mix(in oklab, var(--ink) 45%, var(--bg));
  --op-execute: color-mix(in oklab, var(--brand) 66%, var(--ink));

  /* type: four sizes, from the theme's base */
  --fs-1: var(--jp-ui-font-size1, 13px);
  --fs-0: calc(var(--fs-1) * .8462);   /* 11 */
  --fs-2: calc(var(--fs-1) * 1.0769);  /* 14 */
  --fs-3: calc(var(--fs-1) * 1.3847);  /* 18 */
  --ui:   var(--jp-ui-font-family, system-ui, sans-serif);
  --code: var(--jp-code-font-family, ui-monospace, monospace);

  /* space: multiples of 4 */
  --gut: 16px;
  --u: calc(var(--fs-1) / 13);           /* 1px at Lab's base size: what holds text grows with it */
  --row: calc(24 * var(--u));
  --r: 4px;
}
*, *::before, *::after { box-sizing: border-box; }
button, input { font: inherit; color: inherit; }
button { background: none; border: 0; padding: 0; cursor: pointer; text-align: inherit; }
h3, p, figure, dl, dd, ol, ul { margin: 0; padding: 0; list-style: none; font-weight: inherit; font-size: inherit; }
svg { display: block; }
.icon { width: 16px; height: 16px; fill: none; stroke: currentColor; stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round; flex: none; }
:focus-visible { outline: 2px solid var(--brand); outline-offset: 1px; border-radius: var(--r); }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
code, .code { font-family: var(--code); font-size: .9231em; font-variant-ligatures: none; }

/* frame ------------------------------------------------------------------------------------------------- */
.duck {
  display: flex; flex-direction: column; position: relative;
  height: var(--duck-height, 420px); min-height: 0; overflow: hidden;
  color: var(--text); background: var(--bg);
  border: 1px solid var(--line); border-radius: 6px;
  font: var(--fs-1)/1.4 var(--ui); font-variant-numeric: tabular-nums;
}

/* head: the state in words, then the tools --------------------------------------------------------------- */
.head { display: flex; align-items: center; gap: 12px; padding: 6px 8px 6px var(--gut); min-height: 40px; flex: none; }
.say { display: flex; align-items: center; gap: 10px; min-width: 0; flex: 1; }
/* what does not fit in one line wraps into a second, which nobody sees: whole parts go, and no number is cut */
.words { min-width: 0; display: flex; flex-wrap: wrap; align-items: baseline; height: var(--row); line-height: var(--row); overflow: hidden; }
.words > :is(strong, .aside) { display: contents; }
.words > :is(strong, .aside) > span { flex: none; max-width: 100%; white-space: pre; overflow: hidden; text-overflow: ellipsis; }
.words strong { font-size: var(--fs-2); font-weight: 600; color: var(--ink); }
.words .aside > :first-child { margin-left: 10px; }
.whose, .words .only-b { display: none; }
.words .aside { color: var(--muted); }
.words .aside.warn { color: var(--warn-text); }
.words .link { flex: none; margin-left: 10px; }
.link { color: var(--brand-text); border-radius: 2px; display: inline-block; line-height: var(--row); }
.link:hover { text-decoration: underline; text-underline-offset: 2px; }
.link.err { color: var(--error-text); }

.mark { --c: var(--good); width: 10px; height: 10px; flex: none; border-radius: 50%; background: var(--c); position: relative; }
.mark::after { content: ""; position: absolute; inset: 0; border-radius: 50%; box-shadow: 0 0 0 0 var(--c); opacity: .45; }
.mark[data-s="live"]::after { animation: beat 2s cubic-bezier(.2, .6, .35, 1) infinite; }
.mark[data-s="idle"]   { background: none; border: 2px solid var(--c); }
.mark[data-s="paused"] { --c: var(--muted); border-radius: 1px; background: linear-gradient(90deg, var(--c) 35%, transparent 35% 65%, var(--c) 65%); }
.mark[data-s="silent"] { --c: var(--warn); background: none; border: 2px dashed var(--c); width: 12px; height: 12px; }
.mark[data-s="none"], .mark[data-s="old"] { --c: var(--faint); background: none; border: 2px solid var(--c); }
.mark[data-s="stopped"] { --c: var(--error); border-radius: 1px; }
@keyframes beat { from { box-shadow: 0 0 0 0 var(--c); opacity: .5; } 70%, to { box-shadow: 0 0 0 6px var(--c); opacity: 0; } }

.tools { display: flex; align-items: center; gap: 4px; flex: none; }
.btn { display: inline-grid; place-items: center; width: 28px; height: 28px; border-radius: var(--r); color: var(--muted); }
.btn:hover { background: var(--hover); color: var(--text); }
.btn:active, .btn[aria-pressed="true"], .btn[aria-expanded="true"] { background: var(--press); color: var(--text); }
.btn:disabled, .seg :disabled { color: var(--faint); cursor: default; background: none; }
.sep { width: 1px; height: 16px; background: var(--line); margin: 0 4px; }
.seg { display: flex; border-radius: var(--r); padding: 2px; background: var(--hover); }
.seg button { min-width: 34px; height: 24px; padding: 0 8px; text-align: center; border-radius: 3px; color: var(--muted); font-size: var(--fs-0); }
.seg button:hover { color: var(--text); }
.seg button[aria-checked="true"] { background: var(--bg); color: var(--ink); font-weight: 600; box-shadow: 0 0 0 1px var(--line); }
.find { position: relative; display: flex; align-items: center; color: var(--muted); }
.find .icon { position: absolute; left: 6px; width: 14px; height: 14px; pointer-events: none; }
.find input { width: 148px; height: 28px; padding: 0 24px 0 26px; color: var(--text); background: var(--hover); border: 1px solid transparent; border-radius: var(--r); font-size: var(--fs-1); }
.find input::placeholder { color: var(--muted); opacity: 1; }
.find input:hover { background: var(--press); }
.find input:focus { background: var(--bg); border-color: var(--brand); outline: 1px solid var(--brand); outline-offset: 0; }
.find kbd { position: absolute; right: 7px; font: var(--fs-0)/1 var(--code); color: var(--muted); pointer-events: none; }
.find input:focus ~ kbd { display: none; }

/* charts: four, on one clock ------------------------------------------------------------------------------ */
.charts { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); border-block: 1px solid var(--line); flex: none; }
.chart { padding: 6px var(--gut) 7px; min-width: 0; position: relative; }
.chart + .chart { border-left: 1px solid var(--line); }
.chart .now { display: flex; flex-wrap: wrap; align-items: baseline; height: var(--row); white-space: nowrap; overflow: hidden; line-height: var(--row); }
.chart .now b { font-size: var(--fs-3); font-weight: 600; color: var(--ink); letter-spacing: -.01em; margin-right: 5px; }
.chart .now span { color: var(--muted); white-space: pre; }
.plot { position: relative; height: 56px; cursor: crosshair; }
.plot .tick { position: absolute; left: 0; font-size: calc(var(--fs-1) * .77); line-height: 1; color: var(--muted); padding: 0 3px 2px 0; transform: translateY(-100%); pointer-events: none; text-shadow: 0 0 2px var(--bg), 0 0 2px var(--bg), 0 0 3px var(--bg); }
.plot .dot { position: absolute; width: 6px; height: 6px; margin: -3px; border-radius: 50%; background: var(--c); box-shadow: 0 0 0 1.5px var(--bg); pointer-events: none; }
.plot .event { position: absolute; top: 0; bottom: 0; width: 0; border-left: 1px dashed color-mix(in srgb, var(--error) 70%, transparent); pointer-events: none; }
.plot .event::before { content: ""; position: absolute; top: -3px; left: -3.5px; width: 6px; height: 6px; background: var(--error); clip-path: polygon(0 0, 100% 0, 50% 100%); }
.plot .when { position: absolute; bottom: 0; transform: translate(4px, 0); font-size: var(--fs-0); line-height: 16px; padding: 0 4px; border-radius: 2px; background: var(--ink); color: var(--bg); white-space: nowrap; pointer-events: none; }
.plot .when.left { transform: translate(calc(-100% - 4px), 0); }
.plot .gap { position: absolute; top: 0; bottom: 0; right: 0; background: repeating-linear-gradient(135deg, var(--track) 0 1px, transparent 1px 6px); border-left: 1px solid var(--line-2); }
.key { display: flex; flex-wrap: wrap; gap: 0 12px; font-size: var(--fs-0); height: calc(16 * var(--u)); line-height: calc(16 * var(--u)); margin-top: 4px; white-space: pre; overflow: hidden; color: var(--muted); }
.key i { font-style: normal; color: var(--text); }
.key > .bare i { margin-left: 3px; }
.key .v { min-width: 4ch; } /* what stands beside a number stays where it is */
.key > span { display: inline-flex; align-items: center; gap: 4px; flex: none; }
.key > span::before { content: ""; width: 8px; height: 8px; border-radius: 2px; background: var(--c, transparent); flex: none; }
.key > span.thick::before { height: 2.5px; width: 10px; border-radius: 0; }
.key > span.thin::before { height: 1px; width: 10px; border-radius: 0; }
.key > span.bare::before { display: none; }
.key > span.bare { display: block; }
.key .v > span { flex: none; }

/* tabs: they carry counts and trouble -------------------------------------------------------------------- */
.tabs { display: flex; align-items: stretch; gap: 4px; padding: 0 8px; height: calc(32 * var(--u)); flex: none; box-shadow: inset 0 -1px var(--line); }
.tab { display: inline-flex; align-items: center; gap: 6px; padding: 0 8px; color: var(--muted); position: relative; white-space: nowrap; }
.tab:hover { color: var(--text); }
.tab[aria-selected="true"] { color: var(--ink); font-weight: 600; }
.tab[aria-selected="true"]::after { content: ""; position: absolute; left: 8px; right: 8px; bottom: 0; height: 2px; background: var(--brand); }
.n { font-weight: 400; color: var(--muted); }
.n.err { color: var(--error-text); font-weight: 600; display: inline-flex; align-items: center; gap: 4px; }
.n.err .st { --c: var(--error); }
`;
