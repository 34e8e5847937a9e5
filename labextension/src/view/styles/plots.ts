/** What the canvas of a chart needs around it; ticks and marks lie above it. */

export const plots = `
[hidden] { display: none !important; }
.plot canvas { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
.plot .cursor { position: absolute; top: 0; bottom: 0; width: 0; border-left: 1px solid var(--text); pointer-events: none; z-index: 2; }
.plot :is(.tick, .event, .gap, .dot, .when) { z-index: 2; }
.duck[data-state="silent"] .plot canvas { opacity: .62; }
.duck[data-state="old"] .plot canvas { opacity: .7; }
.plot .gridline { position: absolute; left: 0; right: 0; height: 0; border-top: 1px solid var(--grid); pointer-events: none; }
.key > .bare i:first-child { margin-left: 0; }
.plot .gridline.base { border-color: var(--grid-2); }
`;
