/** The pattern of time that a worker waits on the kernel, as the stylesheet has it. */

/**
 * Make a pattern for a canvas.
 *
 * @param ground - The colour between the lines.
 * @param line - That of the lines, and of all of it where there can be no pattern.
 */
export function hatching(ground: string, line: string): CanvasPattern | string {
  const ratio = window.devicePixelRatio || 1;
  const size = Math.max(2, Math.round(4 * ratio));
  const tile = document.createElement('canvas');
  tile.width = tile.height = size;
  const on = tile.getContext('2d');
  if (!on) {
    return line;
  }
  on.fillStyle = ground;
  on.fillRect(0, 0, size, size);
  on.strokeStyle = line;
  on.lineWidth = 1.3 * ratio;
  on.lineCap = 'square';
  on.beginPath();
  for (const from of [-size, 0, size]) {
    on.moveTo(from, size);
    on.lineTo(from + size, 0);
  }
  on.stroke();
  return on.createPattern(tile, 'repeat') ?? line;
}
