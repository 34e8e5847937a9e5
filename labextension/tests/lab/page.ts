/** What a browser has and jsdom has not, for JupyterLab's own parts. Imported first. */

globalThis.DragEvent ??= class extends MouseEvent {} as typeof DragEvent;
