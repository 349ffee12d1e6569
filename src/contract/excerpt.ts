const MAX_CHARACTERS = 60;

/** Shortens a caller's key or value for messages: at most 60 characters and no control characters. */
export function excerpt(text: string): string {
  const shown = text.slice(0, MAX_CHARACTERS).replace(/\p{C}/gu, '?');
  return text.length > MAX_CHARACTERS ? `${shown}…` : shown;
}
