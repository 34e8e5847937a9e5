/** duck_jupyter in JupyterLab: a side panel, an item of the status bar, commands. */

import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';

import { addCommands, CATEGORY, CommandIDs } from './commands';
import { Live } from './live';
import { MonitorPanel, PANEL_ID } from './panel';
import { readSettings } from './settings';
import { StatusItem } from './statusbar';
import { Tracker } from './tracker';
import { askForWidgets } from './widget_requests';
import { leaveKernelStatusAlone } from './wire';

const PLUGIN_ID = 'duck-jupyter:plugin';

/** Right of what belongs to the document itself, such as the debugger. */
const RANK = 900;

async function activate(
  app: JupyterFrontEnd,
  palette: ICommandPalette | null,
  registry: ISettingRegistry | null,
  restorer: ILayoutRestorer | null,
  statusBar: IStatusBar | null
): Promise<void> {
  leaveKernelStatusAlone();
  askForWidgets(app.shell);
  const settings = await registry?.load(PLUGIN_ID).catch(() => null);
  const chosen = readSettings(settings?.composite);
  const live = new Live(new Tracker(app.shell));

  const panel = new MonitorPanel(app, live, chosen);
  app.shell.add(panel, 'right', { rank: RANK });
  restorer?.add(panel, PANEL_ID);

  addCommands(app, live, PANEL_ID);
  for (const [rank, command] of Object.values(CommandIDs).entries()) {
    palette?.addItem({ command, category: CATEGORY, rank });
  }

  const item = statusBar === null ? null : new StatusItem(live, app.commands);
  if (item !== null) {
    item.isWanted = chosen.statusItem;
    statusBar?.registerStatusItem(PLUGIN_ID, { item, align: 'left', rank: RANK });
  }

  settings?.changed.connect(() => {
    const now = readSettings(settings.composite);
    panel.configure(now);
    if (item !== null) {
      item.isWanted = now.statusItem;
    }
  });
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'A live monitor of what a notebook shares with its workers.',
  autoStart: true,
  optional: [ICommandPalette, ISettingRegistry, ILayoutRestorer, IStatusBar],
  activate
};

export default plugin;
