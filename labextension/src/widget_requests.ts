/** Requests of widgets, asked on the control channel of their kernel. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { Kernel } from '@jupyterlab/services';

import { onAsked } from './bridge';
import { isKernelDocument } from './documents';
import { ask } from './wire';

/** Ask for the widgets of all notebooks; call what is returned to stop. */
export function askForWidgets(shell: JupyterFrontEnd.IShell): () => void {
  return onAsked(({ comm, question, content }) => {
    const kernel = kernelOf(shell, comm);
    return kernel === null ? undefined : ask(kernel, question, content);
  });
}

/** The kernel of a notebook that has this comm. */
function kernelOf(
  shell: JupyterFrontEnd.IShell,
  comm: string
): Kernel.IKernelConnection | null {
  for (const widget of shell.widgets('main')) {
    const kernel = isKernelDocument(widget)
      ? widget.sessionContext.session?.kernel
      : undefined;
    if (kernel?.hasComm(comm)) {
      return kernel;
    }
  }
  return null;
}
