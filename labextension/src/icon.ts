/** The duck on the panel's tab. */

import { LabIcon } from '@jupyterlab/ui-components';

const DUCK = `
<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3" fill="#616161" d="M13.2 3.5a4.3 4.3 0 0 0-4.3 4.3c0 1.4.7 2.4
    1.3 3.2.4.6.2 1-.4 1-2 0-3.6-.7-5-1.9-.5-.4-1.1-.2-1.2.5C3.2 14.8 6 19.5 11.5
    19.5c5 0 8-2.9 8-6.7 0-1.3-.4-2.3-1-3.1h1.4c1.3 0 2.3-.8
    2.6-2 .1-.4-.1-.7-.5-.7h-4.6a4.3 4.3 0 0 0-4.2-3.5zm.7 2.7a1.1 1.1
    0 1 1 0 2.2 1.1 1.1 0 0 1 0-2.2z"/>
</svg>`;

export const duckIcon = new LabIcon({ name: 'duck-jupyter:duck', svgstr: DUCK });
