/** What uPlot's canvas needs around it; our own ticks and marks lie above it. */

export const plots = `
[hidden] { display: none !important; }
.plot .uplot, .plot .u-wrap, .plot .u-over, .plot .u-under { position: absolute; inset: 0; }
.plot canvas { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
.plot .u-select, .plot .u-cursor-y, .plot .u-cursor-pt, .plot .u-legend, .plot .u-axis { display: none; }
.plot .u-over { z-index: 1; }
.plot .u-cursor-x { position: absolute; top: 0; bottom: 0; left: 0; width: 0; border-left: 1px solid var(--text); pointer-events: none; will-change: transform; }
.plot .u-hz .u-cursor-x { height: 100%; }
.plot .u-off { display: none; }
.plot .tick, .plot .event, .plot .gap, .plot .dot, .plot .when { z-index: 2; }
.duck[data-state="silent"] .plot canvas { opacity: .62; }
.duck[data-state="old"] .plot canvas { opacity: .7; }
.plot .gridline { position: absolute; left: 0; right: 0; height: 0; border-top: 1px solid var(--grid); pointer-events: none; }
.key > .bare i:first-child { margin-left: 0; }
.plot .gridline.base { border-color: var(--grid-2); }
`;
