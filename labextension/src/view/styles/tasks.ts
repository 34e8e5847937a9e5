/** Tasks: the functions, the stream, and what both add to other parts. */

export const tasks = `
:host {
  /* Functions: three colours, and a hollow neutral for the rest. Each is the theme's brand, turned and then moved
     towards ink or ground, so that they differ in lightness first and in hue second. Red and orange stay free. */
  --fn-1: var(--brand);
  --fn-2: color-mix(in oklab, oklch(from var(--brand) l c calc(h + 62)) 60%, var(--ink));
  --fn-3: color-mix(in oklab, oklch(from var(--brand) calc(l + .02) calc(c * .75) calc(h - 115)) 84%, var(--bg));
  --fn-0: color-mix(in oklab, var(--ink) 42%, var(--bg));
  --lane: 16px;
  --hatched: repeating-linear-gradient(135deg, var(--warn) 0 1.5px, color-mix(in srgb, var(--warn) 16%, var(--bg)) 1.5px 4px);
  --cross: polygon(20% 0, 50% 30%, 80% 0, 100% 20%, 70% 50%, 100% 80%, 80% 100%, 50% 70%, 20% 100%, 0 80%, 30% 50%, 0 20%);
}

/* Nothing is cut inside a number: what does not fit goes whole, to a second line that nobody sees. */
.fit { display: flex; flex-wrap: wrap; align-items: baseline; height: 1.4em; line-height: 1.4; overflow: hidden; min-width: 0; }
.fit > * { flex: none; max-width: 100%; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.words strong code { font-size: .9286em; }

/* charts: the fourth is that of the workers' time */
.hatch { background: var(--hatched); }
.key > span.hatched::before { background: var(--hatched); box-shadow: inset 0 0 0 1px color-mix(in srgb, var(--warn) 60%, transparent); }
.lanes.tiny .key > span.hatched::before { background: var(--warn); } .lanes.tiny .key > span.failmark::before { clip-path: none; width: 5px; height: 5px; }
.key > span.failmark::before { background: var(--error); border-radius: 0; clip-path: var(--cross); }
.key > span.bootmark::before { background: repeating-linear-gradient(90deg, var(--muted) 0 1px, transparent 1px 3px); height: 2px; width: 10px; border-radius: 0; }

/* tasks: what is computed, left; who computes it, right ----------------------------------------------------- */
.duck[data-pane="tasks"] .pane.tasks { display: block; }
.split { display: grid; grid-template-columns: minmax(calc(290 * var(--u)), 5fr) minmax(0, 7fr); min-height: 100%; }
.split.quieted .hrow { display: none; } .split.alone { display: block; } .split.alone .lanes { display: none; }
.split:not(.alone) .funcs { border-right: 1px solid var(--line); }
.funcs, .lanes { min-width: 0; }
.lanes { position: sticky; top: 0; align-self: start; }
.funcs .hrow, .run .top { grid-template-columns: minmax(0, 1fr) auto minmax(calc(72 * var(--u)), max-content); }
.funcs > .rest { padding: 6px var(--gut); font-size: var(--fs-0); }

.run { position: relative; padding: 3px var(--gut) 5px; }
.run + .run { box-shadow: 0 -1px var(--line); }
.run:hover, .run.is-hover, .run:focus-within { background: var(--hover); }
.run:focus-visible { outline-offset: -2px; border-radius: 0; }
.run[aria-expanded] .top { cursor: pointer; }
.run .top { display: grid; gap: 0 16px; align-items: baseline; height: var(--row); line-height: var(--row); }
.run .title { display: flex; flex-wrap: wrap; align-items: center; min-width: 0; height: var(--row); overflow: hidden; margin-left: -16px; padding-left: 16px; }
.run .tw { margin-right: 2px; }
.run[aria-expanded="true"] .tw .icon { transform: rotate(90deg); }
.swatch { width: 10px; height: 10px; border-radius: 2px; flex: none; background: var(--c); margin-right: 6px; }
.run .fn { font: 600 .9231em var(--code); color: var(--ink); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; flex: none; max-width: calc(100% - 18px); height: var(--row); line-height: var(--row); }
.run .pool { color: var(--muted); font-size: var(--fs-0); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; flex: none; max-width: 100%; height: var(--row); line-height: var(--row); padding-left: 8px; }
.run .done { white-space: nowrap; text-align: right; color: var(--muted); }
.run .left { text-align: right; white-space: nowrap; }
.run b { font-weight: 400; color: var(--text); }
.prog { position: relative; height: 8px; border-radius: 2px; background: var(--track); overflow: hidden; display: flex; margin: 1px 0 3px; }
.prog i { display: block; flex: none; height: 100%; }
.prog .ok { background: var(--c); }
.prog .bad { background: var(--error); min-width: 3px; margin-left: 1px; }
.prog .hand { background: color-mix(in srgb, var(--c) 38%, transparent); min-width: 3px; margin-left: 1px; }
.prog.open { background: none; border-radius: 0; box-shadow: inset 0 -1px var(--line-2); }
.facts-l { font-size: var(--fs-0); color: var(--muted); gap: 0 14px; height: calc(24 * var(--u)); line-height: calc(24 * var(--u)); margin: -4px 0; }
.facts-l .err { color: var(--error-text); font-weight: 600; }
.facts-l .err:hover { text-decoration: underline; text-underline-offset: 2px; }
.run.over { padding-block: 1px; }
.run:is(.over, .unseen) .top { grid-template-columns: minmax(0, 1fr) auto; }
.run.over .swatch { background: none; box-shadow: inset 0 0 0 2px var(--c); }
.run.over .fn { font-weight: 400; color: var(--text); }
.run .sum { color: var(--muted); white-space: nowrap; font-size: var(--fs-0); }
.run.broke .sum b { color: var(--error-text); }
.run.unseen .swatch { background: none; border: 1.5px dotted var(--muted); }
.run.unseen p { font-size: var(--fs-0); padding: 0 0 4px 16px; text-wrap: pretty; }

/* where the time went, and the slowest */
.run .why { padding: 4px 0 6px 16px; display: grid; gap: 8px; font-size: var(--fs-0); }
.run .why h4 { margin: 0 0 3px; font-size: var(--fs-0); font-weight: 600; color: var(--muted); }
.shares { display: flex; height: 8px; border-radius: 2px; overflow: hidden; background: var(--track); margin-bottom: 4px; }
.shares i { flex: none; height: 100%; width: calc(var(--v) * 1%); }
.shares i + i { box-shadow: -1px 0 var(--bg); }
.shares .work { background: var(--c, var(--brand)); }
.shares .next, .parts .nexted::before { background: color-mix(in srgb, var(--ink) 26%, transparent); }
.shares .boot { background: repeating-linear-gradient(90deg, color-mix(in srgb, var(--ink) 45%, transparent) 0 1px, transparent 1px 3px); }
.parts { display: flex; flex-wrap: wrap; gap: 0 14px; color: var(--muted); }
.parts > span { display: inline-flex; align-items: center; gap: 5px; white-space: pre; }
.parts > span::before { content: ""; width: 8px; height: 8px; border-radius: 2px; background: var(--c); flex: none; }
.parts .link { font-family: var(--code); }
.parts .hatched::before { background: var(--hatched); }
.parts .booted::before { background: color-mix(in srgb, var(--ink) 45%, transparent); }
.run .why .advice { color: var(--text); max-width: 62ch; text-wrap: pretty; }
.slow { display: grid; grid-template-columns: minmax(0, 1fr) auto auto; gap: 0 12px; line-height: calc(18 * var(--u)); }
.slow code { font-size: 1em; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.slow .num { white-space: nowrap; }

/* the stream: a lane per worker ----------------------------------------------------------------------------- */
.lanes { --lane-cols: calc(118 * var(--u)) minmax(0, 1fr) calc(40 * var(--u)); }
.axis { display: grid; grid-template-columns: var(--lane-cols); align-items: center; gap: 0 8px; height: calc(25 * var(--u)); padding: 0 var(--gut) 0 12px; box-shadow: inset 0 -1px var(--line); font-size: var(--fs-0); color: var(--muted); position: sticky; top: 0; background: var(--bg); z-index: 2; }
.axis .key { margin: 0; } .axis .num, .axis .busy { white-space: nowrap; }
.axis .busy b { font-weight: 600; color: var(--text); }
.stream { position: relative; display: grid; grid-template-columns: var(--lane-cols); gap: 0 8px; padding: 3px var(--gut) 3px 12px; }
.stream:focus-visible { outline-offset: -2px; }
.names, .busyness { font-size: var(--fs-0); color: var(--muted); }
.stream:not(.small) :is(.names, .busyness) { font-size: min(var(--fs-0), var(--lane)); }
.names > *, .busyness > * { height: var(--lane); line-height: var(--lane); white-space: nowrap; overflow: hidden; }
.names .ln { display: flex; align-items: center; gap: 6px; }
.names .ln > .t { display: inline-flex; min-width: 0; }
.names .ln .h { overflow: hidden; text-overflow: ellipsis; }
.names .ln .e { flex: none; }
.names > .gap, .busyness > .gap { height: 6px; }
.names .ln.gone .t { text-decoration: line-through; text-decoration-color: var(--line-2); }
.names .ln.on { color: var(--ink); }
.names .st { width: min(8px, var(--lane)); height: min(8px, var(--lane)); }
.st[data-s="boot"] { background: none; border: 1.5px dotted var(--muted); }
.st[data-s="ended"] { background: none; }
.busyness > * { text-align: right; color: var(--text); }
.busyness .warn { color: var(--warn-text); font-weight: 600; } .busyness .zero { color: var(--muted); }
.stream.small :is(.names, .busyness) { position: relative; }
.stream.small .busyness > * { position: absolute; right: 0; height: auto; line-height: 1; transform: translateY(-50%); }
.names .blk { position: absolute; left: 0; right: 4px; border-right: 2px solid var(--line-2); border-radius: 0 3px 3px 0; display: flex; flex-direction: column; justify-content: center; padding-right: 8px; text-align: right; line-height: 1.3; }
.names .blk b { color: var(--text); font-weight: 400; overflow: hidden; text-overflow: ellipsis; }
.pix { position: relative; min-width: 0; cursor: crosshair; }
.pix canvas { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
.marks > * { position: absolute; top: 0; bottom: 0; pointer-events: none; }
.marks .event { top: -4px; bottom: -2px; border-left: 1px dashed color-mix(in srgb, var(--error) 70%, transparent); }
.marks .cursor { border-left: 1px solid var(--text); }
.marks .gap { right: 0; background: repeating-linear-gradient(135deg, var(--track) 0 1px, transparent 1px 6px), var(--bg); border-left: 1px solid var(--line-2); }
.marks .laneon { left: 0; right: 0; bottom: auto; height: var(--lane); box-shadow: inset 0 0 0 1px var(--line-2); border-radius: 2px; }
.ticks { position: relative; grid-column: 2; height: calc(14 * var(--u)); margin-top: 1px; border-top: 1px solid var(--line-2); font-size: calc(var(--fs-1) * .77); line-height: calc(14 * var(--u)); color: var(--muted); }
.ticks span { position: absolute; transform: translateX(-50%); white-space: nowrap; } .ticks span:first-child { transform: none; } .ticks span:last-child { transform: translateX(-100%); }
.tip { position: absolute; z-index: 6; pointer-events: none; background: var(--ink); color: var(--bg); font-size: var(--fs-0); line-height: 1.45; padding: 5px 8px; border-radius: 3px; white-space: nowrap; max-width: min(100% - 16px, calc(330 * var(--u))); }
.tip code { font-size: 1em; } .tip > div { overflow: hidden; text-overflow: ellipsis; }
.tip .act { opacity: .75; }

/* workers: what each does, and what its time went into --------------------------------------------------------- */
.spent { display: flex; align-items: center; gap: 6px; }
.spent .shares { flex: 1; margin: 0; min-width: 24px; }
.spent .val { width: calc(46 * var(--u)); text-align: right; flex: none; }
.spent .w { width: calc(66 * var(--u)); text-align: right; flex: none; color: var(--muted); font-size: var(--fs-0); white-space: nowrap; }
.spent .w.warn { color: var(--warn-text); font-weight: 600; }

/* nothing to show */
.notasks { padding: 14px var(--gut); color: var(--muted); display: grid; gap: 8px; align-content: start; }
.notasks h3 { font-size: var(--fs-2); font-weight: 600; color: var(--ink); }
.notasks p { max-width: 58ch; text-wrap: pretty; } .notasks .snip { max-width: 460px; color: var(--text); }

/* widths */
@container duck (max-width: 75.3em) {
  .lanes { --lane-cols: calc(92 * var(--u)) minmax(0, 1fr) calc(40 * var(--u)); }
}
@container duck (max-width: 63em) {
  .split { grid-template-columns: minmax(calc(280 * var(--u)), 5fr) minmax(0, 6fr); }
  .funcs .hrow, .run .top { grid-template-columns: minmax(0, 1fr) auto minmax(calc(58 * var(--u)), max-content); gap: 0 10px; }
  .run :is(.left, .sum) .long, .bootmark { display: none !important; }
  .spent .w { display: none; }
}
@container duck (max-width: 43em) {
  .split { display: block; }
  .split:not(.alone) .funcs { border: 0; }
  .funcs .hrow { display: none; }
  .run { padding: 2px 12px 4px; }
  .run .title { margin-left: 0; }
  .lanes { position: static; margin-top: 4px; border-top: 1px solid var(--line); --lane-cols: calc(82 * var(--u)) minmax(0, 1fr) calc(40 * var(--u)); }
  .axis { position: static; padding: 0 12px; box-shadow: none; gap: 0 6px; }
  .axis .key { grid-area: auto; }
  .stream { gap: 0 6px; padding: 0 12px 2px; }
  .lanes .names .h { display: none; }
  .spent { gap: 4px; } .spent .val { font-size: var(--fs-0); width: calc(40 * var(--u)); }
  .tip { white-space: normal; }
}
@media (forced-colors: active) {
  .prog, .shares { border: 1px solid CanvasText; } .prog i, .shares i, .swatch { forced-color-adjust: none; }
  .prog .ok, .shares .work { background: Highlight; } .prog .bad { background: Mark; }
  .pix canvas { forced-color-adjust: none; }
}
`;
