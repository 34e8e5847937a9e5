/** What changes with the width, with motion that is not wanted, and with forced colours. */

export const widths = `
@container duck (max-width: 85em) { .key .op .long { display: none; } }
/* under 980 (at 13px): the columns that are asked for least go first ------------------------------------------------------ */
@container duck (max-width: 75.3em) {
  .objects { --cols: minmax(calc(200 * var(--u)), 1.9fr) calc(52 * var(--u)) calc(104 * var(--u)) calc(118 * var(--u)) minmax(calc(96 * var(--u)), 1fr); }
  .objects :is(.c-type, .c-mode, .c-bytes, .c-pub) { display: none; }
  .name .lvl:not(.full) { display: none; }
  [aria-level="1"] > .name .sub { display: flex; color: var(--muted); font: var(--fs-0)/var(--row) var(--ui); padding-left: 6px; min-width: 0; flex: 0 1000 auto; }
  .key .long, .now .long { display: none; }
  .workers { --cols: minmax(calc(130 * var(--u)), 1fr) minmax(calc(156 * var(--u)), 1.5fr) calc(50 * var(--u)) minmax(calc(150 * var(--u)), 1.3fr) calc(64 * var(--u)); }
  .workers :is(.c-pid, .c-each, .c-rate) { display: none; }
  .chart { padding-inline: 12px; }
  .key { gap: 0 6px; } .key > span { gap: 3px; } .key .v { min-width: 0; }
  .find input { width: 112px; }
  .ehead { --cols: calc(12 * var(--u)) minmax(calc(150 * var(--u)), calc(200 * var(--u))) minmax(calc(70 * var(--u)), calc(110 * var(--u))) minmax(0, 1fr) calc(56 * var(--u)); }
  .ehead .by { display: none; }
}
@container duck (max-width: 63em) {
  .find kbd { display: none; }
  .find input:not(:focus) { width: 28px; padding: 0; background: none; }
  .find input::placeholder { color: transparent; }
  .find input:focus { padding-right: 6px; } .find input:focus::placeholder { color: var(--muted); }
  .tools .sep:first-of-type { display: none; }
  .words .spare { display: none; }
  .key .v, .key .thick .v { display: none; } /* p50 is the number above */
  .key > .always:not(.thick) .v { display: inline; }
  .mem .facts .extra { display: none; } .mem .track { width: 88px; }
}

/* under 720: what would not fit beside the rest ---------------------------------------------------------------------------- */
@container duck (max-width: 55em) {
  .row, .hrow { gap: 0 12px; }
  .chart { padding-inline: 8px; }
  .objects { --cols: minmax(calc(150 * var(--u)), 1.9fr) calc(52 * var(--u)) calc(104 * var(--u)) calc(118 * var(--u)) minmax(calc(86 * var(--u)), 1fr); }
}

/* under 560: the side panel. One column, sections that fold, rows of two lines --------------------------------- */
@container duck (max-width: 43em) {
  .duck { border: 0; border-radius: 0; height: var(--duck-height, 100%); --gut: 12px; --pic: calc(118 * var(--u)); }
  .head { flex-direction: column; align-items: stretch; gap: 8px; padding: 12px 12px 8px; }
  .say { align-items: flex-start; flex-wrap: wrap; }
  .whose { display: block; flex: 0 0 100%; font-size: var(--fs-0); color: var(--muted); margin-bottom: -4px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .words { flex: 1; }
  .mark { margin-top: 5px; }
  .words { display: block; height: auto; line-height: inherit; }
  .words .spare { display: inline; }
  .words > :is(strong, .aside) > span { white-space: normal; overflow: visible; }
  .words .aside > :first-child { margin-left: 0; }
  .words > :is(strong, .aside) { display: block; } .words > .aside:is(.aside) { display: inline-block; margin-right: 10px; }
  .words .link { margin: 0 10px 0 0; }
  .cut .long { display: none; }
  .row.cut .name { padding-left: calc((var(--d, 0) - 1) * 12px + 16px); }
  .key .v { display: inline; }
  .find input, .find input:not(:focus) { padding: 0 6px 0 26px; background: var(--hover); } .find input::placeholder { color: var(--muted); }
  .tools { gap: 2px; }
  .find { flex: 1; }
  .find input, .find input:not(:focus) { width: 100%; }
  .sep { display: none; }
  .seg button { min-width: 28px; padding: 0 5px; }
  .charts { grid-template-columns: minmax(0, 1fr); padding: 4px 0; }
  .chart { display: grid; grid-template: "now plot" calc(22 * var(--u)) "key plot" calc(16 * var(--u)) / minmax(0, 1fr) var(--pic); gap: 0 12px; padding: 3px 12px; align-items: center; }
  .chart + .chart { border-left: 0; }
  .chart .now { grid-area: now; line-height: calc(22 * var(--u)); }
  .chart .now b { font-size: calc(var(--fs-1) * 1.154); }
  .plot { grid-area: plot; height: 34px; }
  .plot .tick, .plot .gridline:not(.base) { display: none; }
  .plot .dot { width: 5px; height: 5px; margin: -2.5px; }
  .key { grid-area: key; margin: 0; gap: 0 8px; }
  .key > span::before { width: 7px; height: 7px; }
  .tabs { display: none; }
  .body { display: block; overflow: auto; scrollbar-width: thin; scrollbar-color: var(--track) transparent; }
  .pane, .duck[data-pane] .pane { display: block; overflow: visible; }
  .fold { display: flex; align-items: center; height: 32px; position: sticky; top: 0; z-index: 3; background: var(--bg); border-top: 1px solid var(--line); padding-right: 8px; }
  .pane:first-child .fold { border-top: 0; }
  .fold > button:first-child { flex: 1; display: flex; align-items: center; gap: 6px; height: 100%; padding-left: 8px; font-weight: 600; color: var(--ink); }
  .fold > button:first-child:hover { background: var(--hover); }
  .fold > button:first-child .icon { width: 12px; height: 12px; color: var(--muted); transition: transform .12s ease-out; }
  .fold > button[aria-expanded="true"] .icon { transform: rotate(90deg); }
  .fold .by { font-size: var(--fs-0); color: var(--muted); font-weight: 400; height: 24px; padding: 0 4px; display: inline-flex; align-items: center; gap: 4px; border-radius: 2px; }
  .fold .by::after { content: ""; width: 7px; height: 4px; background: currentColor; clip-path: polygon(0 0, 100% 0, 50% 100%); }
  .fold .by, .fold > button:first-child { white-space: nowrap; }
  .fold > button:first-child { flex: 1 0 auto; } .fold .by { min-width: 0; overflow: hidden; text-overflow: ellipsis; }
  .fold .by:hover { color: var(--text); background: var(--hover); }
  .pane.folded > :not(.fold) { display: none; }
  .pane { padding-bottom: 6px; }
  .hrow { display: none; }

  .row { padding: 0 12px; }
  .objects .row { height: calc(38 * var(--u)); grid-template: "name rate" calc(19 * var(--u)) "sub fill" calc(16 * var(--u)) / minmax(0, 1fr) var(--pic); gap: 0 12px; align-content: center; }
  .objects :is(.c-over, .c-err), .objects .handed :is(.wide, .bar), .objects .row.handed .c-rate::after { display: none; }
  .handed .only-narrow { display: inline; }
  .objects .handed .c-rate { font-size: var(--fs-0); color: var(--text); }
  .objects .handed .c-fill { font-size: var(--fs-0); color: var(--muted); }
  .objects .name { grid-area: name; display: flex; padding-left: calc(var(--d, 0) * 12px + 16px); }
  .objects .row .name .sub, .objects .name .lvl:not(.more) { display: none; }
  .objects .name .lvl.more { display: inline; } .lvl.more .long { display: none; }
  .objects .c-type .lvl.full { display: inline; flex: none; }
  .objects .c-type .type { min-width: 0; height: calc(16 * var(--u)); line-height: calc(16 * var(--u)); }
  .objects .c-type { grid-area: sub; display: flex; padding-left: calc(var(--d, 0) * 12px + 16px); color: var(--muted); }
  .objects .c-rate { grid-area: rate; }
  .objects .c-rate::after { content: "/s"; color: var(--muted); font-size: var(--fs-0); padding-left: 1px; }
  .objects .c-fill { grid-area: fill; }
  .objects .row .bar .of { display: none; }
  .objects .row .bar .val { font-size: var(--fs-0); width: calc(40 * var(--u)); }
  .objects .row .bar { gap: 4px; }
  .objects .row.cut { height: var(--row); grid-template: "name" var(--row) / 1fr; }

  .workers .row { height: calc(38 * var(--u)); grid-template: "who mem" calc(19 * var(--u)) "state bar" calc(16 * var(--u)) / minmax(0, 1fr) var(--pic); gap: 0 12px; align-content: center; }
  .workers .who { grid-area: who; }
  .workers .c-tasks { display: none; }
  .workers .state { grid-area: state; padding-left: 16px; font-size: var(--fs-0); color: var(--muted); }
  .workers .c-time { grid-area: bar; }
  .workers .c-mem { grid-area: mem; }

  .ehead { height: auto; padding: 6px 12px 6px 8px; grid-template: "i t age" auto "i msg msg" auto / 12px minmax(0, 1fr) auto; gap: 0 6px; text-align: left; }
  .ehead .icon { grid-area: i; align-self: start; margin-top: 4px; }
  .ehead .t { grid-area: t; } .ehead .obj { display: none; } .ehead .age { grid-area: age; font-size: var(--fs-0); }
  .ehead .msg { grid-area: msg; font-size: var(--fs-0); color: var(--muted); }
  .edetail { padding: 2px 12px 12px 26px; }

  .mem { display: grid; grid-template: "t d" auto "g g" 8px "f f" auto / 1fr auto; gap: 4px 10px; padding: 6px 12px 8px; white-space: normal; }
  .mem .title { grid-area: t; } .mem .find-d { grid-area: d; } .mem .track { grid-area: g; width: 100%; } .mem .spacer { display: none; }
  .mem .facts { grid-area: f; height: auto; gap: 0 12px; }
  .band { align-items: flex-start; padding: 8px 12px; flex-wrap: wrap; }
  .band p { flex: 1 1 200px; }
  .absence, .duck[data-state="empty"] .absence { grid-template-columns: minmax(0, 1fr); align-content: start; padding-top: 28px; gap: 12px; }
  .duck[data-state="empty"] .absence .pic { display: block; }
  .absence .snip { font-size: .9231em; }
  .charts.ghost { display: none; }
  .charts.ghost ~ .absence, .head + .absence { border-top: 1px solid var(--line); }
  .menu { top: 92px; }
}

@container duck (max-width: 25.8em) {
  .duck { --pic: calc(96 * var(--u)); }
  .key .v { display: none; }
  .seg button { min-width: 24px; padding: 0 3px; }
}

/* motion: only what says "alive"; nothing when it is not wanted ---------------------------------------------------------- */
@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { animation: none !important; transition: none !important; }
  .mark[data-s="live"]::after { display: none; }
}
@media (forced-colors: active) {
  .bar .track, .mem .track { border: 1px solid CanvasText; }
  .bar .fill, .mem .ours { forced-color-adjust: none; background: Highlight; }
  .bar .peak { forced-color-adjust: none; background: CanvasText; }
  .tab[aria-selected="true"]::after { forced-color-adjust: none; background: Highlight; }
  .seg button[aria-checked="true"] { border: 1px solid CanvasText; }
  .plot .gridline { forced-color-adjust: none; border-color: color-mix(in srgb, CanvasText 20%, Canvas); }
  .mark, .st, .key > span::before, .plot .dot, .plot .event::before { forced-color-adjust: none; }
}
`;
