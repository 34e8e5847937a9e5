import './page';

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { beforeEach, describe, expect, it } from 'vitest';

import { isName, nameAtCursor, selectedName } from '../../src/documents';
import { Tracker } from '../../src/tracker';

class FakeShell {
  currentWidget: Widget | null = null;
  readonly currentChanged = new Signal<this, void>(this);

  front(widget: Widget | null): void {
    this.currentWidget = widget;
    this.currentChanged.emit();
  }
}

/** A notebook, as far as it is looked at. */
class FakeNotebook extends Widget {
  readonly sessionContext = {
    session: { kernel: { name: 'python3' } } as { kernel: object } | null,
    kernelDisplayName: 'Python 3',
    kernelChanged: new Signal<object, void>(this),
    sessionChanged: new Signal<object, void>(this),
    specsManager: {
      specs: {
        kernelspecs: { python3: { language: 'Python' }, ir: { language: 'R' } }
      },
      specsChanged: new Signal<object, void>(this)
    }
  };

  content = { activeCell: null as object | null };

  constructor(name: string) {
    super();
    this.title.label = name;
  }

  runs(kernel: string | null): void {
    this.sessionContext.session = kernel === null ? null : { kernel: { name: kernel } };
    this.sessionContext.kernelChanged.emit();
  }

  type(source: string, from: number, to = from): void {
    this.content.activeCell = {
      editor: {
        getSelection: () => ({
          start: { line: 0, column: from },
          end: { line: 0, column: to }
        }),
        getOffsetAt: ({ column }: { column: number }) => column,
        getTokenAtCursor: () => ({ value: source.slice(from).split(/\W/)[0] ?? '' })
      },
      model: { type: 'code', sharedModel: { getSource: () => source } }
    };
  }
}

let shell: FakeShell;
let tracker: Tracker;
let changes: number;
let notebook: FakeNotebook;

beforeEach(() => {
  shell = new FakeShell();
  tracker = new Tracker(shell as unknown as JupyterFrontEnd.IShell);
  changes = 0;
  tracker.changed.connect(() => changes++);
  notebook = new FakeNotebook('flights.ipynb');
  shell.front(notebook);
});

describe('what is followed', () => {
  it('is the notebook in front, and its kernel', () => {
    expect([tracker.title, tracker.kernelTitle]).toEqual(['flights.ipynb', 'Python 3']);
    expect([tracker.language, tracker.kernel?.name]).toEqual(['python', 'python3']);
  });

  it('stays while something without a kernel is in front', () => {
    shell.front(new Widget());
    shell.front(null);
    expect(tracker.title).toBe('flights.ipynb');
  });

  it('is the next one, when that comes to the front', () => {
    shell.front(new FakeNotebook('survey.ipynb'));
    notebook.runs('ir');
    expect([tracker.title, changes]).toEqual(['survey.ipynb', 2]);
  });

  it('is another kernel of the same notebook, or none', () => {
    notebook.runs('ir');
    expect(tracker.language).toBe('r');
    notebook.runs(null);
    expect([tracker.language, tracker.kernel]).toEqual([null, null]);
  });

  it('has its new name', () => {
    notebook.title.label = 'renamed.ipynb';
    expect([tracker.title, changes]).toEqual(['renamed.ipynb', 2]);
  });

  it('ends with the notebook', () => {
    notebook.dispose();
    expect([tracker.document, tracker.title]).toEqual([null, '']);
  });
});

describe('a name to share', () => {
  it.each([
    ['df.head()', 0, 2, 'df'],
    ['df.head()', 0, 4, null],
    ['groß = 1', 0, 4, 'groß'],
    ['for x in y', 0, 3, null],
    ['df', 0, 0, null]
  ])('in %j from %d to %d is %j', (source, from, to, name) => {
    notebook.type(source, from, to);
    expect(selectedName(notebook)).toBe(name);
  });

  it('is the one under the cursor, where nothing is selected', () => {
    notebook.type('x = flights', 4);
    expect(nameAtCursor(notebook)).toBe('flights');
  });

  it('is not looked for in what is no code', () => {
    expect(nameAtCursor(notebook)).toBeNull();
    expect(isName('2x')).toBe(false);
  });
});
