/** What is not in the design's own sheet: rows that are placed, and rows of the gone. */
export const rows = `
.rows { position: relative; }
.rows > .row { position: absolute; left: 0; right: 0; }
.row.gone .id, .row.gone .type { color: inherit; }
.row.gone .mark, .row.gone .st { background: var(--muted); }
.row.gone .state { color: var(--muted); }
.row.gone.broke .st { background: var(--error); }
.row.gone.broke .state { color: var(--error-text); }
.workers { --cols: minmax(calc(140 * var(--u)), 1fr) calc(48 * var(--u)) minmax(calc(186 * var(--u)), 1.5fr) calc(54 * var(--u)) calc(56 * var(--u)) minmax(calc(190 * var(--u)), 1.4fr) calc(52 * var(--u)) calc(68 * var(--u)); }
.who .whole { display: flex; min-width: 0; } .whole > * { overflow: hidden; text-overflow: ellipsis; min-width: 0; }
.whole > :first-child:not(:empty) + * { flex: none; max-width: 85%; }
.who .way { flex: none; font-size: var(--fs-0); color: var(--muted); } .who .way:empty { display: none; }
.workers .c-mem.warn { color: var(--warn-text); font-weight: 600; }
.links { display: flex; gap: 4px 16px; flex-wrap: wrap; margin: 0; padding: 0 var(--gut); }
.links a { display: inline-flex; align-items: center; min-height: 24px; color: var(--brand-text, var(--brand)); text-decoration: none; } .links a:hover { text-decoration: underline; }
.links[hidden], .pane.folded .links { display: none; }
/* words give way before how long ago, and before how many more */
.row .state { display: flex; align-items: baseline; }
.state > * { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: pre; }
.state > :last-child { flex: none; }
.lvl:empty { display: none; }
.n:empty { display: none; }
.edetail .full { max-width: none; margin: 8px 0 0; }
.nothing, .rest { padding: 12px var(--gut); }
.fold .by:disabled { cursor: default; color: var(--muted); background: none; }
.fold .by:disabled::after { display: none; }
.acts .btn:disabled { color: var(--faint); }
`;
