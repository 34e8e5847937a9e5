/** The numbers in a view that are cut at a side: each with the class of what cuts it. */
frame => {
  const found = [];
  const texts = document.createTreeWalker(frame, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    const parent = text.parentElement;
    // Names and messages are text, whatever is in them; what is scrolled is not cut.
    const isNumber = /\d/.test(text.data) && !parent.closest('code, pre, .id, .msg, .sr');
    if (!isNumber || !parent.checkVisibility({ visibilityProperty: true })) {
      continue;
    }
    const range = document.createRange();
    range.selectNodeContents(text);
    for (const box of range.getClientRects()) {
      let cutBy = null;
      for (let around = parent; around && frame.contains(around); around = around.parentElement) {
        if (getComputedStyle(around).overflowX === 'visible') {
          continue;
        }
        const edge = around.getBoundingClientRect();
        if (box.top >= edge.bottom - 1 || box.bottom <= edge.top + 1) {
          cutBy = null; // the whole of it is left out
          break;
        }
        if (box.right > edge.right + 0.6 || box.left < edge.left - 0.6) {
          cutBy ??= around.className;
        }
      }
      if (cutBy !== null) {
        found.push([text.data, cutBy]);
      }
    }
  }
  return found;
}
