/** The columns of the objects and of the workers: their words, and what they sort by. */

/** What a header needs to know of a column. */
export interface Column {
  readonly id: string;
  readonly className: string;
  readonly text: string;
  readonly title?: string;
  readonly isNumber: boolean;
  /** What the narrow view says where it is sorted by this one; it offers no others. */
  readonly narrow?: string;
}

export const OBJECT_COLUMNS: readonly Column[] = [
  { id: 'name', className: '', text: 'Name', isNumber: false, narrow: 'by name' },
  { id: 'type', className: 'c-type', text: 'Type', isNumber: false },
  { id: 'mode', className: 'c-mode', text: 'Mode', isNumber: false },
  {
    id: 'rate',
    className: 'c-rate num',
    text: 'Calls/s',
    isNumber: true,
    narrow: 'by calls/s'
  },
  { id: 'bytes', className: 'c-bytes num', text: 'Bytes', isNumber: true },
  {
    id: 'over',
    className: 'c-over',
    text: 'Handed over',
    title: 'How often it went to a worker as a handle · bytes that were not copied',
    isNumber: true
  },
  {
    id: 'fill',
    className: 'c-fill',
    text: 'Buffer fill',
    title:
      'How full the buffer was at the last frame (bar) and at the fullest (mark). ' +
      'Replies that are errors do not count',
    isNumber: true,
    narrow: 'by fill'
  },
  {
    id: 'versions',
    className: 'c-pub',
    text: 'Versions',
    title: 'Published versions · bytes of one',
    isNumber: true
  },
  {
    id: 'error',
    className: 'c-err',
    text: 'Last error',
    isNumber: true,
    narrow: 'by last error'
  }
];

export const WORKER_COLUMNS: readonly Column[] = [
  { id: 'name', className: '', text: 'Worker', isNumber: false, narrow: 'by name' },
  { id: 'pid', className: 'c-pid', text: 'pid', isNumber: false },
  { id: 'state', className: '', text: 'Doing', isNumber: false },
  { id: 'tasks', className: 'c-tasks num', text: 'Tasks', isNumber: true },
  {
    id: 'each',
    className: 'c-each num',
    text: 'Each',
    title: 'The median of the durations of its tasks',
    isNumber: true
  },
  {
    id: 'waiting',
    className: 'c-time',
    text: 'Computing, waiting on the kernel',
    title: 'Shares of its time over the span shown; sorted by waiting',
    isNumber: true,
    narrow: 'by waiting'
  },
  { id: 'rate', className: 'c-rate num', text: 'Calls/s', isNumber: true },
  {
    id: 'memory',
    className: 'c-mem num',
    text: 'Memory',
    title:
      'PSS: shared pages are counted once. Of a worker of a cluster its resident ' +
      'memory, as the cluster measures it',
    isNumber: true,
    narrow: 'by memory'
  }
];
