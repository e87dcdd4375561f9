/** Something that was refused, and why. Shown in status, log and metrics until its cause is gone. */
export interface Problem {
  /** The service, container or template it is about, or `edge`. */
  readonly subject: string;
  /** The option (tag, label, key, flag) that was refused; absent when it is no option's. */
  readonly option?: string;
  /** The refused value as it was written, cut to {@link SHOWN_VALUE_LENGTH} characters. */
  readonly value?: string;
  /** What is wrong, and what would be right. */
  readonly reason: string;
  /** Others that have to do with it, such as the owner of a claim that was lost. */
  readonly related?: readonly string[];
}

/** How much of a refused value is shown, characters. */
const SHOWN_VALUE_LENGTH = 200;

/** A refused value as it may be shown: its control characters made visible, its length bounded. */
export function shownValue(value: string): string {
  const visible = value.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
  return visible.length > SHOWN_VALUE_LENGTH ? `${visible.slice(0, SHOWN_VALUE_LENGTH)}… (${value.length} characters)` : visible;
}

/** Two problems with one key are the same problem, seen again. */
export function problemKey({ subject, option, value, reason, related }: Problem): string {
  return JSON.stringify([subject, option, value, reason, related]);
}
