/** Requests to the kernel on its control channel, which is free while a cell runs. */

import { PageConfig } from '@jupyterlab/coreutils';
import { type Kernel, KernelMessage } from '@jupyterlab/services';

/** What is asked of a kernel, by the type of the message. */
export type Question =
  | 'comm_info_request'
  | 'duck_watch_request'
  | 'duck_unwatch_request'
  | 'duck_snapshot_request'
  | 'duck_look_request'
  | 'duck_command_request';

/** What the kernel's half answers, and every kernel to the first question. */
export interface Answer {
  status: 'ok' | 'error';
  comms?: Record<string, unknown>;
  snapshot?: unknown;
  message?: string;
}

/** What of a kernel's connection is used here. */
export type Wire = Pick<
  Kernel.IKernelConnection,
  | 'clientId'
  | 'username'
  | 'isDisposed'
  | 'status'
  | 'statusChanged'
  | 'connectionStatus'
  | 'connectionStatusChanged'
  | 'iopubMessage'
  | 'sendControlMessage'
>;

/** The target of the broadcast, which is a comm that nobody opened. */
export const LIVE_TARGET = 'duck_jupyter.live';

/** An answer and the end of its request take two ways; one may come before the other. */
const GRACE_MS = 1000;

const QUESTIONS: readonly Question[] = [
  'comm_info_request',
  'duck_watch_request',
  'duck_unwatch_request',
  'duck_snapshot_request',
  'duck_look_request',
  'duck_command_request'
];

/**
 * Let JupyterLab not take the end of one of our requests for the end of a cell: it would
 * show an idle kernel while a cell runs.
 */
export function leaveKernelStatusAlone(): void {
  const option = 'untracked_message_types';
  const known = JSON.parse(PageConfig.getOption(option) || '[]') as string[];
  PageConfig.setOption(option, JSON.stringify([...known, ...QUESTIONS]));
}

/**
 * Ask a kernel something.
 *
 * @returns What it answers, or null where it handles the message and has no answer to
 *   it: duck_jupyter is not loaded. A kernel that is inside one long call answers after
 *   it. Rejects where there can be no answer any more.
 */
export function ask(
  kernel: Wire,
  question: Question,
  content: Record<string, unknown> = {}
): Promise<Answer | null> {
  return new Promise((resolve, reject) => {
    const message = KernelMessage.createMessage({
      // The protocol allows for more types than the ones Lab knows by name.
      msgType: question as 'debug_request',
      channel: 'control',
      session: kernel.clientId,
      username: kernel.username,
      content: content as unknown as KernelMessage.IDebugRequestMsg['content']
    });
    const future = kernel.sendControlMessage(message, true, true);
    future.onReply = reply => resolve(reply.content as unknown as Answer);
    future.onIOPub = heard => {
      if (
        KernelMessage.isStatusMsg(heard) &&
        heard.content.execution_state === 'idle'
      ) {
        setTimeout(() => {
          resolve(null);
          future.dispose();
        }, GRACE_MS);
      }
    };
    future.done.catch(reject);
  });
}

/**
 * Tell whether duck_jupyter is loaded in a kernel.
 *
 * Its broadcast is a comm, and every kernel knows the request for comms. A kernel logs an
 * error for a request of ours that it does not know.
 *
 * @returns Null where it is not. Rejects as `ask` does.
 */
export async function findBroadcast(kernel: Wire): Promise<true | null> {
  const content = { target_name: LIVE_TARGET };
  const answer = await ask(kernel, 'comm_info_request', content);
  return Object.keys(answer?.comms ?? {}).length > 0 || null;
}

/** What a broadcast says, where a message is one. */
export interface Broadcast {
  kind: 'loaded' | 'unloaded' | 'snapshot';
  snapshot?: unknown;
}

/** Read a message of the kernel. */
export function broadcastOf(message: KernelMessage.IIOPubMessage): Broadcast | null {
  if (!KernelMessage.isCommMsgMsg(message)) {
    return null;
  }
  const data = message.content.data as Record<string, unknown> | undefined;
  return data?.duck === LIVE_TARGET ? (data as unknown as Broadcast) : null;
}
