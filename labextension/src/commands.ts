/** What the palette and the menus offer. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { Kernel } from '@jupyterlab/services';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import {
  activeCell,
  isConsole,
  isKernelDocument,
  isNotebook,
  type KernelDocument,
  nameAtCursor,
  selectedName
} from './documents';
import type { Live } from './live';

/** In the order in which the palette lists them: Enter takes the first. */
export const CommandIDs = {
  open: 'duck-jupyter:open-monitor',
  share: 'duck-jupyter:share',
  unshareAll: 'duck-jupyter:unshare-all',
  load: 'duck-jupyter:insert-load-cell'
} as const;

export const CATEGORY = 'duck_jupyter';

/** Shown for some seconds, and then kept among the notifications. */
const SHOWN = { autoClose: 8000 } as const;

const LOAD = '%load_ext duck_jupyter';

/** The argument of the entry in the context menu, and not in the palette. */
const isInMenu = (args: ReadonlyPartialJSONObject): boolean => args.menu === true;

/** Add the commands to the application. */
export function addCommands(app: JupyterFrontEnd, live: Live, panelId: string): void {
  const { commands, shell } = app;
  const inFront = (): KernelDocument | null =>
    isKernelDocument(shell.currentWidget) ? shell.currentWidget : null;

  commands.addCommand(CommandIDs.open, {
    label: 'duck: Open Monitor',
    caption: 'Show what passes between the kernel and its workers',
    execute: () => shell.activateById(panelId)
  });

  commands.addCommand(CommandIDs.share, {
    label: args =>
      isInMenu(args) ? 'Share in duck_jupyter' : 'duck: Share Selected Variable',
    caption: 'Share the selected variable with worker processes',
    isEnabled: () => inFront() !== null && live.feed !== null,
    isVisible: args => {
      const document = inFront();
      const isOffered = document !== null && selectedName(document) !== null;
      return !isInMenu(args) || (isOffered && live.feed !== null);
    },
    execute: async () => {
      const document = inFront();
      const kernel = document?.sessionContext.session?.kernel;
      const name = document === null ? null : nameAtCursor(document);
      if (!kernel || name === null) {
        Notification.warning(
          'Select the name of a variable in a code cell first.',
          SHOWN
        );
        return;
      }
      await share(kernel, name, live);
    }
  });

  commands.addCommand(CommandIDs.unshareAll, {
    label: 'duck: Unshare All',
    caption: 'Share nothing any more, from the kernel of this notebook',
    isEnabled: () => live.feed?.presence === 'loaded',
    execute: async () => {
      await live.feed?.do('unshare_all').catch((error: Error) => {
        Notification.error(`Unshare all: ${error.message}`, SHOWN);
      });
    }
  });

  commands.addCommand(CommandIDs.load, {
    label: 'duck: Insert Cell That Loads duck_jupyter',
    isEnabled: () => live.tracker.document !== null,
    execute: async args => {
      const { document } = live.tracker;
      if (document !== null) {
        await insert(app, document, LOAD, args.run === true);
      }
    }
  });
}

/** Share a variable, as its user would in a cell. */
async function share(
  kernel: Kernel.IKernelConnection,
  name: string,
  live: Live
): Promise<void> {
  const lines = live.feed?.presence === 'loaded' ? [] : [LOAD];
  const future = kernel.requestExecute({
    code: [...lines, `%share ${name}`].join('\n'),
    store_history: false,
    allow_stdin: false
  });
  const done = future.done.then(({ content }) => {
    if (content.status === 'error') {
      throw new Error(`${content.ename}: ${content.evalue}`);
    }
    return name;
  });
  if (live.feed?.whole?.cell.running) {
    Notification.promise(done, {
      pending: {
        message: `${name} will be shared when the cell has ended`,
        options: SHOWN
      },
      success: { message: () => `${name} is shared` },
      error: { message: why => `${name} is not shared. ${(why as Error).message}` }
    });
    return;
  }
  await done.catch((error: Error) => {
    Notification.error(`${name} is not shared. ${error.message}`, SHOWN);
  });
}

/** Put code where it can be seen, in a cell of its own, and perhaps run it. */
export async function insert(
  { commands, shell }: JupyterFrontEnd,
  document: KernelDocument,
  code: string,
  run: boolean
): Promise<void> {
  shell.activateById(document.id);
  if (isNotebook(document)) {
    await commands.execute('notebook:insert-cell-above');
    await commands.execute('notebook:change-cell-to-code');
    activeCell(document)?.model.sharedModel.setSource(code);
    if (run) {
      await commands.execute('notebook:run-cell-and-select-next');
    }
  } else if (isConsole(document) && run) {
    await document.console.inject(code);
  } else {
    activeCell(document)?.model.sharedModel.setSource(code);
  }
}
