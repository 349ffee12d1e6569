/** Before a command: the mode of a file does not bind root, unless it gives these capabilities up. */
export const BOUND_BY_MODES =
  process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search', '--inh-caps=-all'] : [];
