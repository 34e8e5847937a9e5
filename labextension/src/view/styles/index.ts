/**
 * The stylesheet of the view, as text: it lives in the shadow root, where no notebook's
 * styles reach it. Every colour comes from the theme.
 */

import { frame } from './frame';
import { lists } from './lists';
import { plots } from './plots';
import { rest } from './rest';
import { rows } from './rows';
import { tasks } from './tasks';
import { widths } from './widths';

export const stylesheet = [frame, plots, lists, rows, rest, widths, tasks].join('\n');
