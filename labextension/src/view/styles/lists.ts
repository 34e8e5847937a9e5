/** The panes and their rows. */

export const lists = `
/* panes and rows ------------------------------------------------------------------------------------------ */
.body { flex: 1; min-height: 0; position: relative; display: flex; flex-direction: column; }
.pane { display: none; min-height: 0; flex: 1; overflow: auto; scrollbar-width: thin; scrollbar-color: var(--track) transparent;
  background: linear-gradient(var(--bg), var(--bg)) bottom / 100% 10px no-repeat local, linear-gradient(transparent, var(--track)) bottom / 100% 6px no-repeat scroll; }
.duck[data-pane="objects"] .pane.objects, .duck[data-pane="workers"] .pane.workers, .duck[data-pane="errors"] .pane.errors { display: block; }
.fold { display: none; }

.row, .hrow { display: grid; grid-template-columns: var(--cols); gap: 0 16px; align-items: center; padding: 0 var(--gut); min-width: 0; }
.row { height: var(--row); position: relative; }
.row > *, .hrow > * { min-width: 0; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.row:hover, .row:focus-within { background: var(--hover); }
mark { background: color-mix(in srgb, var(--brand) 26%, transparent); color: inherit; border-radius: 2px; }
.row:focus-visible { outline-offset: -2px; border-radius: 0; }
/* what is around these would cut off an outline outside of them */
:is(.sort, .fault, .fold button, .words .link):focus-visible { outline-offset: -2px; }
.hrow { height: calc(25 * var(--u)); position: sticky; top: 0; z-index: 2; background: var(--bg); box-shadow: inset 0 -1px var(--line); color: var(--muted); font-size: var(--fs-0); }
.sort { display: inline-flex; align-items: center; gap: 3px; height: var(--row); color: inherit; max-width: 100%; border-radius: 2px; }
.sort:hover { color: var(--text); }
.sort::after { content: ""; width: 7px; height: 5px; background: currentColor; clip-path: polygon(0 0, 100% 0, 50% 100%); opacity: 0; flex: none; }
.sort:hover::after { opacity: .35; }
[aria-sort="descending"] .sort, [aria-sort="ascending"] .sort { color: var(--ink); font-weight: 600; }
[aria-sort="descending"] .sort::after { opacity: 1; }
[aria-sort="ascending"] .sort::after { opacity: 1; transform: scaleY(-1); }
.num { text-align: right; }
.hrow .num .sort { flex-direction: row-reverse; }
.dim { color: var(--muted); }
.none { color: var(--muted); }

.objects { --cols: minmax(calc(150 * var(--u)), 1.8fr) minmax(calc(104 * var(--u)), 1.25fr) calc(54 * var(--u)) calc(48 * var(--u)) calc(56 * var(--u)) calc(106 * var(--u)) calc(104 * var(--u)) calc(86 * var(--u)) minmax(calc(96 * var(--u)), 1.1fr); }
.only-narrow { display: none; }
.name { display: flex; align-items: center; gap: 2px; padding-left: calc(var(--d, 0) * 16px); overflow: visible !important; }
.tw { width: 14px; height: 24px; flex: none; display: grid; place-items: center; color: var(--muted); margin-left: -16px; border-radius: 2px; }
.tw .icon { width: 12px; height: 12px; transition: transform .12s ease-out; }
[aria-expanded="true"] > .name .tw .icon { transform: rotate(90deg); }
.tw.leaf { visibility: hidden; }
.id { display: inline-flex; min-width: 0; flex: 0 1 auto; cursor: grab; font-family: var(--code); font-size: .9231em; color: var(--ink); }
.id .front { overflow: hidden; text-overflow: ellipsis; white-space: pre; }
/* the end of a path stays: the front gives way first, and then the tail from its left */
.id .front { flex: 0 1000 auto; min-width: 0; }
.id .tail { flex: 0 1 auto; min-width: 0; white-space: pre; overflow: hidden; display: flex; justify-content: flex-end; }
[aria-level="1"] > .name .id { font-weight: 600; }
.id:hover { text-decoration: underline dotted; text-underline-offset: 3px; }
.live { flex: none; color: var(--text); font-weight: 600; font-size: var(--fs-0); padding-left: 5px; }
.live:empty { display: none; }
.lvl { flex: none; font-size: calc(var(--fs-1) * .77); color: var(--muted); padding-left: 4px; }
.c-type .lvl { display: none; font-family: var(--ui); }
.lvl.full { color: var(--warn-text); font-weight: 600; }
.sub { display: none; }
.type, .sub { flex-wrap: wrap; height: var(--row); line-height: var(--row); overflow: hidden; }
.type > :first-child, .sub > :first-child { max-width: 100%; overflow: hidden; text-overflow: ellipsis; }
.sub > * { white-space: pre; }
.type { display: flex; gap: 0 .6em; font-family: var(--code); font-size: var(--fs-0); }
.type em { font-style: normal; color: var(--muted); font-family: var(--ui); }
.mode { font-size: var(--fs-0); color: var(--muted); }

.row.cut { grid-template-columns: 1fr; color: var(--error-text); }
.row.cut .name { gap: 6px; }
.row.cut .icon { width: 14px; height: 14px; }
.row.cut .id { color: inherit; cursor: default; text-decoration: none; font-weight: 400; }
.row.cut .why { overflow: hidden; text-overflow: ellipsis; font-size: var(--fs-0); flex: none; max-width: 60%; }
.row.cut .link { font-size: var(--fs-0); flex: none; text-decoration: underline; text-underline-offset: 2px; }

/* bars: one part for buffer fill, waiting share and memory -------------------------------------------------- */
.bar { display: flex; align-items: center; gap: 6px; }
.bar .track { position: relative; flex: 1; min-width: 24px; height: 8px; border-radius: 2px; background: var(--track); }
.bar .fill { position: absolute; inset: 0 auto 0 0; width: calc(var(--v) * 1%); min-width: 1px; border-radius: 2px 0 0 2px; background: var(--c, var(--brand)); transition: width .2s linear; }
.bar[data-z="near"] { --c: var(--warn); }
.bar[data-z="over"] { --c: var(--warn); }
.bar[data-z="over"] .fill { border-radius: 2px; background: repeating-linear-gradient(115deg, var(--warn) 0 4px, color-mix(in srgb, var(--warn) 55%, var(--bg)) 4px 7px); clip-path: polygon(0 0, calc(100% - 4px) 0, 100% 50%, calc(100% - 4px) 100%, 0 100%); }
.bar[data-z="refused"] { --c: var(--error); }
.bar .peak.past { width: 5px; left: calc(100% - 2px); background: var(--ink); clip-path: polygon(0 0, 100% 50%, 0 100%); box-shadow: none; }
.bar[data-z="over"] .peak.past { background: var(--warn); }
.bar .peak { position: absolute; top: -2px; bottom: -2px; left: calc(var(--p) * 1% - 1px); width: 2px; background: var(--ink); box-shadow: 0 0 0 1px var(--bg); }
.bar .val { width: calc(46 * var(--u)); text-align: right; flex: none; }
.bar .of { width: calc(58 * var(--u)); flex: none; color: var(--muted); font-size: var(--fs-0); }
.bar[data-z="near"] .val, .bar[data-z="over"] .val { color: var(--warn-text); font-weight: 600; }
.bar[data-z="refused"] .val { color: var(--error-text); font-weight: 600; }
.bar.zero .val { color: var(--muted); }

.fault { display: inline-flex; align-items: center; gap: 6px; height: var(--row); color: var(--error-text); max-width: 100%; font-size: var(--fs-0); }
.fault .what { overflow: hidden; text-overflow: ellipsis; }
.fault .ago { color: var(--muted); flex: none; }
.fault:hover .what { text-decoration: underline; text-underline-offset: 2px; }

.acts { position: absolute; right: 2px; top: 2px; bottom: 2px; padding-left: 28px; display: none; align-items: center; gap: 0; overflow: visible !important;
  background: linear-gradient(90deg, transparent, color-mix(in srgb, var(--ink) 5%, var(--bg)) 24px); }
.acts .btn { width: 24px; height: 24px; position: relative; }
.acts .btn { height: 20px; }
.row:hover .acts, .row:focus-within .acts { display: flex; }

/* workers -------------------------------------------------------------------------------------------------- */
.who { display: flex; align-items: center; gap: 8px; } .who > :last-child { overflow: hidden; text-overflow: ellipsis; }
.st { width: 8px; height: 8px; border-radius: 50%; flex: none; --c: var(--good); background: var(--c); }
.st[data-s="waiting"] { --c: var(--warn); background: linear-gradient(90deg, var(--c) 50%, transparent 50%); box-shadow: inset 0 0 0 1.5px var(--c); }
.st[data-s="idle"] { background: none; box-shadow: inset 0 0 0 1.5px var(--muted); }
.st[data-s="gone"] { border-radius: 0; background: var(--error); clip-path: polygon(20% 0, 50% 30%, 80% 0, 100% 20%, 70% 50%, 100% 80%, 80% 100%, 50% 70%, 20% 100%, 0 80%, 30% 50%, 0 20%); }
.row.gone { color: var(--muted); }

/* errors ------------------------------------------------------------------------------------------------------ */
.errors .error { border-bottom: 1px solid var(--line); }
.errors .error:last-child { border-bottom: 0; }
.ehead { --cols: calc(12 * var(--u)) minmax(calc(150 * var(--u)), calc(190 * var(--u))) minmax(calc(90 * var(--u)), calc(150 * var(--u))) minmax(0, 1fr) calc(84 * var(--u)) calc(56 * var(--u)); display: grid; grid-template-columns: var(--cols); gap: 0 10px; align-items: center; width: 100%; height: calc(32 * var(--u)); padding: 0 var(--gut) 0 12px; }
.ehead:hover { background: var(--hover); }
.ehead:focus-visible { outline-offset: -2px; }
.ehead > * { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
.ehead .icon { width: 12px; height: 12px; color: var(--muted); transition: transform .12s ease-out; }
.ehead[aria-expanded="true"] .icon { transform: rotate(90deg); }
.ehead .t { display: flex; gap: 6px; align-items: baseline; }
.ehead .t b { font: 600 .9231em var(--code); color: var(--error-text); overflow: hidden; text-overflow: ellipsis; }
.ehead .x { color: var(--text); font-weight: 600; font-size: var(--fs-0); flex: none; }
.ehead .msg { color: var(--text); }
.edetail { padding: 2px var(--gut) 12px 34px; }
.edetail h4 { margin: 0 0 4px; font-size: var(--fs-0); font-weight: 600; color: var(--muted); }
.todo { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 260px), 1fr)); gap: 8px 24px; align-items: end; }
.edetail p { margin-bottom: 4px; max-width: 62ch; text-wrap: pretty; }
.edetail .at { color: var(--muted); margin: 8px 0 0; font-size: var(--fs-0); }
.edetail .at code { color: var(--text); }
.edetail .full { grid-column: 1 / -1; font-family: var(--code); font-size: .9231em; color: var(--text); overflow-wrap: anywhere; }
.snip { display: flex; align-items: center; gap: 8px; padding: 2px 2px 2px 8px; background: var(--hover); border-radius: var(--r); font: .9231em/1.5 var(--code); margin-top: 4px; min-height: 28px; }
.snip code { flex: 1; min-width: 0; white-space: pre-wrap; overflow-wrap: anywhere; font-size: inherit; }
.snip .btn { width: 24px; height: 24px; }
details.tb summary { cursor: pointer; color: var(--muted); font-size: var(--fs-0); list-style: none; display: flex; align-items: center; gap: 4px; min-height: 24px; border-radius: 2px; }
details.tb summary::-webkit-details-marker { display: none; }
details.tb summary:hover { color: var(--text); }
details.tb summary .icon { width: 12px; height: 12px; transition: transform .12s ease-out; }
details.tb[open] summary .icon { transform: rotate(90deg); }
details.tb pre { margin: 2px 0 0; padding: 8px 10px; max-height: 128px; overflow: auto; scrollbar-width: thin; scrollbar-color: var(--track) transparent; background: var(--hover); border-radius: var(--r); font: var(--fs-0)/1.5 var(--code); tab-size: 2; }
pre .e { color: var(--error-text); font-weight: 600; }
pre .d { color: var(--muted); }
`;
