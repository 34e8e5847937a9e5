/**
 * How a widget asks its kernel by way of JupyterLab's extension, where that is there.
 *
 * A message of a widget is handled on a subshell, and JupyterLab takes the end of that for
 * the end of the cell that runs: it shows an idle kernel. The extension asks on the control
 * channel, and has JupyterLab leave its requests out of the status.
 */

import type { Answer, Question } from './wire';

const EVENT = 'duck-jupyter:ask';

/** A question, and the promise of its answer where somebody asks it. */
export interface Asked {
  readonly question: Question;
  readonly content: Record<string, unknown>;
  /** The comm of the widget, which tells its kernel. */
  readonly comm: string;
  answer?: Promise<Answer | null>;
}

/**
 * Ask the kernel of a comm.
 *
 * @returns The answer, null where the kernel has none; undefined where nobody asks.
 */
export function askThroughLab(
  comm: string,
  question: Question,
  content: Record<string, unknown>
): Promise<Answer | null> | undefined {
  const detail: Asked = { question, content, comm };
  document.dispatchEvent(new CustomEvent(EVENT, { detail }));
  return detail.answer;
}

/** Ask for widgets; call what is returned to stop. */
export function onAsked(
  answer: (asked: Asked) => Promise<Answer | null> | undefined
): () => void {
  const listener = (event: Event): void => {
    const asked = (event as CustomEvent<Asked>).detail;
    const promise = answer(asked);
    if (promise !== undefined) {
      asked.answer = promise;
    }
  };
  document.addEventListener(EVENT, listener);
  return () => document.removeEventListener(EVENT, listener);
}
