/** What the user chose, as `schema/plugin.json` has it. */

export interface Settings {
  /** Pictures in a second. */
  rate: number;
  /** Seconds that the charts show. */
  span: number;
  statusItem: boolean;
}

const SPANS = new Map<unknown, number>([
  ['1m', 60],
  ['5m', 300],
  ['15m', 900]
]);

/** Read the settings; where there are none, those that the schema gives. */
export function readSettings(found: Record<string, unknown> = {}): Settings {
  return {
    rate: typeof found.rate === 'number' ? found.rate : 4,
    span: SPANS.get(found.span) ?? 60,
    statusItem: found.statusItem !== false
  };
}
