/** Which notebook or console is looked at, and hence which kernel. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { Kernel } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import { isKernelDocument, type KernelDocument } from './documents';

/**
 * The last notebook or console that was in front. It stays while its user looks at
 * something without a kernel, such as a table beside it, and goes when it is closed.
 */
export class Tracker implements IDisposable {
  constructor(private readonly shell: JupyterFrontEnd.IShell) {
    shell.currentChanged?.connect(this.follow, this);
    this.follow();
  }

  get document(): KernelDocument | null {
    return this.current;
  }

  get kernel(): Kernel.IKernelConnection | null {
    return this.current?.sessionContext.session?.kernel ?? null;
  }

  /** The name of the notebook, for its reader. */
  get title(): string {
    return this.current?.title.label ?? '';
  }

  /** What the kernel is called, for its user. */
  get kernelTitle(): string {
    return this.current?.sessionContext.kernelDisplayName ?? '';
  }

  /** The language of the kernel, where it is known, in lower case. */
  get language(): string | null {
    const context = this.current?.sessionContext;
    const name = this.kernel?.name;
    const spec =
      name === undefined ? null : context?.specsManager.specs?.kernelspecs[name];
    return spec?.language.toLowerCase() ?? null;
  }

  /** The document, its name or its kernel has changed. */
  get changed(): ISignal<this, void> {
    return this.changedSignal;
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  dispose(): void {
    this.disposed = true;
    this.release();
    Signal.clearData(this);
  }

  private readonly changedSignal = new Signal<this, void>(this);
  private current: KernelDocument | null = null;
  private disposed = false;

  private follow(): void {
    const widget = this.shell.currentWidget;
    if (!isKernelDocument(widget) || widget.isDisposed || widget === this.current) {
      return;
    }
    this.release();
    this.current = widget;
    const context = widget.sessionContext;
    widget.disposed.connect(this.close, this);
    widget.title.changed.connect(this.tell, this);
    context.kernelChanged.connect(this.tell, this);
    context.sessionChanged.connect(this.tell, this);
    context.specsManager.specsChanged.connect(this.tell, this);
    this.tell();
  }

  private release(): void {
    const widget = this.current;
    this.current = null;
    if (widget === null) {
      return;
    }
    const context = widget.sessionContext;
    widget.disposed.disconnect(this.close, this);
    widget.title.changed.disconnect(this.tell, this);
    context.kernelChanged.disconnect(this.tell, this);
    context.sessionChanged.disconnect(this.tell, this);
    context.specsManager.specsChanged.disconnect(this.tell, this);
  }

  private close(): void {
    this.release();
    this.follow();
    this.tell();
  }

  private tell(): void {
    this.changedSignal.emit();
  }
}
