/**
 * A text as one word of a HAProxy configuration: in single quotes, where nothing is expanded (configuration manual 2.2).
 * @throws RangeError for control characters, which no word of ours may hold.
 */
export function configWord(text: string): string {
  if (/\p{Cc}/u.test(text)) throw new RangeError(`a control character cannot stand in a configuration: ${JSON.stringify(text)}`);
  return /^[A-Za-z0-9_./:@=,+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A text as one word that HAProxy reads as a log format, in which a percent sign begins an expression. */
export function formatWord(text: string): string {
  return configWord(text.replaceAll('%', '%%'));
}

/**
 * A text as one word of a Runtime API command: what separates words or commands is escaped (management guide 9.3).
 * @throws RangeError for control characters.
 */
export function commandWord(text: string): string {
  if (/\p{Cc}/u.test(text)) throw new RangeError(`a control character cannot stand in a command: ${JSON.stringify(text)}`);
  return text.replace(/[\\; ]/g, '\\$&');
}
