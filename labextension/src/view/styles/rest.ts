/** Memory, menus, bands and absences. */

export const rest = `
/* memory: one line, always there ------------------------------------------------------------------------------- */
.mem { display: flex; align-items: center; gap: 12px; min-height: calc(28 * var(--u)); padding: 0 var(--gut); border-top: 1px solid var(--line); font-size: var(--fs-0); color: var(--muted); flex: none; white-space: nowrap; }
.mem b { font-weight: 600; color: var(--text); }
.mem .track { position: relative; width: 132px; height: 8px; border-radius: 2px; background: var(--track); overflow: hidden; flex: none; display: flex; }
.mem .ours { background: var(--brand); width: calc(var(--v) * 1%); min-width: 3px; }
.mem .theirs { background: color-mix(in srgb, var(--ink) 26%, transparent); width: calc(var(--o) * 1%); margin-left: 1px; }
.mem[data-z="near"] .ours { background: var(--warn); }
.mem .facts { display: flex; flex-wrap: wrap; height: 1lh; gap: 0 14px; min-width: 0; overflow: hidden; }
.mem .facts > * { flex: none; }
.mem .spacer { flex: 1; }
.mem .find-d { color: var(--warn-text); display: inline-flex; gap: 5px; align-items: center; min-height: 24px; }
.mem .find-d .icon { width: 13px; height: 13px; }
.mem .find-d:hover { text-decoration: underline; text-underline-offset: 2px; }

/* menu, toast ------------------------------------------------------------------------------------------------------ */
.band + .charts { border-top: 1px solid var(--line); }
.menu { position: absolute; z-index: 10; right: 8px; top: 40px; min-width: 220px; padding: 4px; background: var(--bg); border: 1px solid var(--line-2); border-radius: 6px; box-shadow: 0 6px 20px rgb(0 0 0 / .18); }
.menu button { display: flex; align-items: center; gap: 10px; width: 100%; height: 28px; padding: 0 8px; border-radius: 3px; }
.menu button:hover { background: var(--hover); }
.menu button .icon { color: var(--muted); width: 14px; height: 14px; }
.menu hr { border: 0; border-top: 1px solid var(--line); margin: 4px 0; }
.pending { display: inline-flex; align-items: center; gap: 6px; font-size: var(--fs-0); color: var(--muted); }
.pending::before { content: ""; width: 8px; height: 8px; border-radius: 50%; border: 1.5px solid currentColor; border-right-color: transparent; animation: spin 1s linear infinite; }
@keyframes spin { to { transform: rotate(1turn); } }

/* bands: why what is seen is not now --------------------------------------------------------------------------------- */
.band { display: flex; align-items: center; gap: 10px; padding: 7px var(--gut); flex: none; border-top: 1px solid var(--line); text-wrap: pretty; }
.band.warn { background: color-mix(in srgb, var(--warn) 10%, transparent); }
.band.quiet { background: var(--hover); }
.band .icon { color: var(--warn-text); }
.band.quiet .icon { color: var(--muted); }
.band p { flex: 1; min-width: 0; }
.band code { white-space: nowrap; }
.push { height: 28px; padding: 0 12px; border-radius: var(--r); border: 1px solid var(--line-2); white-space: nowrap; display: inline-flex; align-items: center; gap: 6px; background: var(--bg); flex: none; }
.push:hover { border-color: var(--muted); background: linear-gradient(var(--hover), var(--hover)), var(--bg); }
.push.main { background: var(--brand); border-color: var(--brand); color: var(--jp-ui-inverse-font-color1, #fff); }
.duck[data-state="old"] :is(.charts, .tabs, .body, .mem) { filter: grayscale(1); }
.duck[data-state="silent"] .chart .now b { opacity: .62; }

/* absences ------------------------------------------------------------------------------------------------------------ */
.absence { flex: 1; min-height: 0; overflow: auto; display: grid; grid-template-columns: minmax(200px, 300px) minmax(0, 640px); gap: 8px 48px; align-content: center; padding: 16px var(--gut); }
.absence .pic { color: var(--muted); opacity: .7; grid-column: 1 / -1; margin-bottom: 12px; }
.absence h3 { font-size: var(--fs-2); font-weight: 600; color: var(--ink); margin-bottom: 4px; }
.absence p { color: var(--muted); text-wrap: pretty; max-width: 48ch; }
.absence .lines { display: grid; gap: 10px; }
.absence .snip { min-height: 36px; padding: 2px 6px 2px 12px; margin: 0; font-size: var(--fs-1); }
.absence .cap { display: block; color: var(--muted); font-size: var(--fs-0); padding: 4px 0 0 12px; }
.absence .go { display: flex; gap: 8px; margin-top: 14px; align-items: center; flex-wrap: wrap; }
.duck[data-state="empty"] .absence .pic { display: none; }
.charts.ghost .now b { color: var(--muted); }
.charts.ghost .plot { opacity: .6; } .charts.ghost :is(.tick, .dot, .gridline) { display: none; }
.charts.ghost .key { visibility: hidden; }
`;
