/** Readers of untyped JSON, cheap enough for the hot path. A field of another type than asked for reads as absent. Pure. */

export type JsonRecord = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** The field's text, or '' where it is absent: Consul leaves empty texts out of some answers. */
export function textField(record: JsonRecord, name: string): string {
  const value = record[name];
  return typeof value === 'string' ? value : '';
}

/** The field's number, or `otherwise`. */
export function numberField(record: JsonRecord, name: string, otherwise: number): number {
  const value = record[name];
  return typeof value === 'number' ? value : otherwise;
}

/** The field's list of texts; Consul writes null for an empty one. */
export function textsField(record: JsonRecord, name: string): readonly string[] {
  const value = record[name];
  return isTexts(value) ? value : NO_TEXTS;
}

/** The field's map of texts; Consul writes null for an empty one. */
export function textMapField(record: JsonRecord, name: string): Readonly<Record<string, string>> {
  const value = record[name];
  return isTextMap(value) ? value : NO_MAP;
}

const NO_TEXTS: readonly string[] = Object.freeze([]);
/** What stands for a map that was never given: Consul says `null`. */
export const NO_MAP: Readonly<Record<string, string>> = Object.freeze({});

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

function isTextMap(value: unknown): value is Readonly<Record<string, string>> {
  if (!isRecord(value)) return false;
  for (const key in value) if (typeof value[key] !== 'string') return false;
  return true;
}
