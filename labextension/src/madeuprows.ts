/** What the made-up session has: its objects and its errors. */

import type { ErrorRow, ObjectRow } from './snapshot';

export const KB = 1024;
export const MB = KB * KB;

/** What is not known of a worker that is in no pool. */
export const UNSEEN = {
  pool: null,
  state: 'unseen' as const,
  run: null,
  task_since: null,
  waiting_on: null,
  tasks: null,
  failed_tasks: null,
  t_computing: null,
  t_waiting: null,
  t_starting: null,
  each_p50: null,
  way: null,
  cluster: null
};

/** Name, parent, type, size, mode, level, calls a second, calls, bytes, fill and peak in %. */
export type Made = [
  path: string,
  parent: number | null,
  type: string,
  size: string,
  mode: ObjectRow['mode'],
  level: number,
  rate: number,
  calls: number,
  bytes: number,
  fill: number,
  peak: number
];

export const OBJECTS: Made[] = [
  [
    'flights',
    null,
    'DataFrame',
    '336,776 × 19',
    'frozen',
    0,
    38,
    9207,
    4.6 * MB,
    0.4,
    8
  ],
  ['results', null, 'dict', '12,408 keys', 'live', 0, 602, 1420318, 212 * MB, 12, 64],
  ['conn', null, 'sqlite3.Connection', '', 'live', 0, 64, 61203, 48.1 * MB, 84, 190],
  ['model', null, 'Pipeline', '3 steps', 'read-only', 0, 12, 28911, 9.4 * MB, 3, 21],
  ['model.named_steps', 4, 'Bunch', '', 'read-only', 1, 0, 12, 0, 1, 2],
  [
    'model.named_steps.forest',
    5,
    'RandomForestRegressor',
    '',
    'read-only',
    2,
    96,
    201774,
    31 * MB,
    38,
    77
  ],
  [
    'model.named_steps.forest.estimators_[0].tree_.value.T.flat',
    6,
    'flatiter',
    '',
    'read-only',
    7,
    133,
    88120,
    14.2 * MB,
    6,
    9
  ],
  ['bar', null, 'tqdm_notebook', '61 %', 'live', 0, 212, 205429, 11.8 * MB, 1, 1],
  ['delays', null, 'ndarray', '336,776 float64', 'inplace', 0, 0, 3, 3 * KB, 0, 1]
];

/** Numbers that look like chance and are the same each time. */
export function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export function rowOf(made: Made, idx: number, since: number): ObjectRow {
  const [path, parent, type, size, mode, level, , calls, bytes, fill, peak] = made;
  const bufsize = 64 * KB;
  return {
    idx,
    parent,
    path,
    root: path.split('.')[0] ?? path,
    type,
    size,
    mode,
    level,
    max_level: 7,
    bufsize,
    gets: Math.round(calls * 0.4),
    sets: Math.round(calls * 0.1),
    executes: calls - Math.round(calls * 0.4) - Math.round(calls * 0.1),
    bytes_in: Math.round(bytes / 3),
    bytes_out: Math.round((bytes * 2) / 3),
    last: Math.round((bufsize * fill) / 100),
    peak: Math.round((bufsize * peak) / 100),
    versions: path === 'flights' ? 2 : path === 'delays' ? 1 : 0,
    version_bytes: path === 'flights' ? 97.6 * MB : 0,
    mapped_bytes: path === 'flights' ? 56.5 * MB : 0,
    awaited: 0,
    beside: 0,
    handovers: path === 'flights' ? 24 : 0,
    handed_bytes: path === 'flights' ? 2342 * MB : 0,
    last_error: path === 'results' ? "KeyError: 'N14228'" : null,
    error:
      path === 'results' ? { key: 'KeyError', type: 'KeyError', time: since } : null,
    pids: [41283, 41284],
    since
  };
}

export function errorsAt(time: number): ErrorRow[] {
  const error = (
    type: string,
    object: string,
    message: string,
    count: number,
    age: number,
    ways: [string, string][]
  ): ErrorRow => ({
    key: type,
    type,
    object,
    idx: 1,
    objects: 1,
    cut: '',
    kind: 'call',
    run: null,
    arguments: '',
    message,
    count,
    first: time - 72,
    last: time - age,
    pids: [41283, 41286],
    worker: 'ForkPoolWorker-1',
    ways_out: ways,
    traceback:
      'Traceback (most recent call last):\n  File "score.py", line 48, in importance\n' +
      `    base = tree.value.T.flat.base\n${type}: ${message}\n`
  });
  const task: ErrorRow = {
    ...error('ValueError', 'score', 'negative weight', 1, 1, [
      [
        'Run the task here, where a debugger reaches it. `%debug` after that.',
        "score(flights, 'UA', 3)"
      ]
    ]),
    kind: 'task',
    run: 2,
    arguments: "flights, 'UA', 3"
  };
  return [
    task,
    error(
      'LimitedProxyChaining',
      'model',
      'level 8 of at most 7: model.named_steps.forest',
      37,
      2,
      [
        [
          'Each step that gives an object is a level. Take the object into the worker once.',
          'm = fetch(shared.model)'
        ],
        ['Or allow a longer chain.', '%share --readonly --max-chain 10 model']
      ]
    ),
    error('KeyError', 'results', "'N14228'", 112, 3, []),
    error(
      'DataTooBigError',
      'results',
      'a reply of 1.21 GB; max_message is 1 GB',
      1,
      14,
      []
    ),
    error(
      'AccessDenied',
      'model',
      'set_params: model is shared with --readonly',
      4,
      48,
      []
    )
  ];
}
