/** Whether anybody can see an element: nothing is drawn where nobody can. */

/** Be told when it changes; call what is returned to be told no more. */
export function onVisibility(
  host: Element,
  changed: (seen: boolean) => void
): () => void {
  let isNear = true;
  let isSeen = true;
  const look = (): void => {
    const seen = isNear && document.visibilityState === 'visible';
    if (seen !== isSeen) {
      isSeen = seen;
      changed(seen);
    }
  };
  const scrolled = new IntersectionObserver(entries => {
    isNear = entries.at(-1)?.isIntersecting ?? true;
    look();
  });
  scrolled.observe(host);
  document.addEventListener('visibilitychange', look);
  return () => {
    scrolled.disconnect();
    document.removeEventListener('visibilitychange', look);
  };
}
