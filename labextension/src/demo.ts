/** Host 3: a plain page with a made-up source, for work on the view itself. */

import { mountMonitor } from './view/monitor';
import { MadeUp, type Scene } from './madeup';
import type { TaskScene } from './madeuptasks';

/** The page says what it wants in its address: ?scene=live&tasks=main&width=1180&objects=1000 */
const wanted = new URLSearchParams(location.search);
const scene = (wanted.get('scene') ?? 'live') as Scene;
const number = (name: string, otherwise: number): number =>
  Number(wanted.get(name) ?? otherwise);

document.body.className = wanted.get('theme') ?? 'light';
const host = document.createElement('div');
host.id = 'monitor';
host.style.width = `${number('width', 1100)}px`;
if (wanted.has('height')) {
  host.style.setProperty('--duck-height', `${number('height', 420)}px`);
}
document.body.append(host);

const source = new MadeUp(
  scene,
  number('objects', 0),
  number('workers', 3),
  (wanted.get('tasks') ?? 'none') as TaskScene,
  number('far', 0)
);
const unmount = mountMonitor(host, source, { span: number('span', 60) });
source.start(wanted.has('still') ? 0 : 250);
Object.assign(window, { source, unmount });
