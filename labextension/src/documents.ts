/**
 * What is used of notebooks and consoles. Their packages are left alone: a document is
 * known by what it has, and so are those of other front ends.
 */

import type { ISessionContext } from '@jupyterlab/apputils';
import type { Widget } from '@lumino/widgets';

/** Anything in the main area with a kernel of its own. */
export interface KernelDocument extends Widget {
  readonly sessionContext: ISessionContext;
}

interface Position {
  readonly line: number;
  readonly column: number;
}

interface Editor {
  getSelection(): { readonly start: Position; readonly end: Position };
  getOffsetAt(position: Position): number;
  getTokenAtCursor(): { readonly value: string };
}

interface Cell {
  readonly editor: Editor | null;
  readonly model: {
    readonly type: string;
    readonly sharedModel: { getSource(): string; setSource(text: string): void };
  };
}

interface Notebook extends KernelDocument {
  readonly content: { readonly activeCell: Cell | null };
}

interface Console extends KernelDocument {
  readonly console: {
    readonly promptCell: Cell | null;
    inject(code: string): Promise<void>;
  };
}

/** A name of Python, as it is selected. */
const IDENTIFIER = /^[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]*$/u;

/** Words that look like names, and cannot be one. */
const KEYWORDS = new Set(
  (
    'False None True and as assert async await break class continue def del elif else ' +
    'except finally for from global if import in is lambda nonlocal not or pass raise ' +
    'return try while with yield'
  ).split(' ')
);

export function isName(text: string): boolean {
  return IDENTIFIER.test(text) && !KEYWORDS.has(text);
}

export function isKernelDocument(widget: Widget | null): widget is KernelDocument {
  const context = (widget as Partial<KernelDocument> | null)?.sessionContext;
  return context?.kernelChanged !== undefined;
}

export function isNotebook(widget: Widget): widget is Notebook {
  return (
    isKernelDocument(widget) && 'activeCell' in ((widget as Notebook).content ?? {})
  );
}

export function isConsole(widget: Widget): widget is Console {
  const prompt = (widget as Console).console as Console['console'] | undefined;
  return isKernelDocument(widget) && typeof prompt?.inject === 'function';
}

/** The cell that is being typed in, where it holds code. */
export function activeCell(widget: Widget): Cell | null {
  const cell = isNotebook(widget)
    ? widget.content.activeCell
    : isConsole(widget)
      ? widget.console.promptCell
      : null;
  return cell?.model.type === 'code' ? cell : null;
}

/** The name that is selected, and nothing beside it. */
export function selectedName(widget: Widget): string | null {
  const cell = activeCell(widget);
  if (!cell?.editor) {
    return null;
  }
  const { editor } = cell;
  const { start, end } = editor.getSelection();
  const [from, to] = [editor.getOffsetAt(start), editor.getOffsetAt(end)];
  const text = cell.model.sharedModel
    .getSource()
    .slice(Math.min(from, to), Math.max(from, to))
    .trim();
  return isName(text) ? text : null;
}

/** The name that is selected, or else the one the cursor stands in. */
export function nameAtCursor(widget: Widget): string | null {
  const selected = selectedName(widget);
  if (selected !== null) {
    return selected;
  }
  const editor = activeCell(widget)?.editor;
  if (!editor) {
    return null;
  }
  const { start, end } = editor.getSelection();
  if (start.line !== end.line || start.column !== end.column) {
    return null;
  }
  const token = editor.getTokenAtCursor().value;
  return isName(token) ? token : null;
}
