import { textOf } from './byte-text.ts';
import { isRecord, numberField, textField } from './json-fields.ts';

/** One entry of Consul's KV store. */
export interface KeyValue {
  readonly path: string;
  /** As UTF-8; bytes that are none as `byte-text.ts` keeps them. */
  readonly value: string;
  readonly createIndex: number;
  readonly modifyIndex: number;
  readonly lockIndex: number;
  readonly flags: number;
  /** Of the lock's holder; empty for none. */
  readonly session: string;
}

/** Reads the answer of `/v1/kv/:path`, recursive or not; null (there is no such key) is no entry. Pure. @throws TypeError for anything else. */
export function parseKeyValues(json: unknown): readonly KeyValue[] {
  if (json === null) return [];
  if (!Array.isArray(json) || !json.every(isRecord)) throw new TypeError('the answer is no list of keys');
  return json.map((item) => ({
    path: textField(item, 'Key'),
    value: textOf(Buffer.from(textField(item, 'Value'), 'base64')),
    createIndex: numberField(item, 'CreateIndex', 0),
    modifyIndex: numberField(item, 'ModifyIndex', 0),
    lockIndex: numberField(item, 'LockIndex', 0),
    flags: numberField(item, 'Flags', 0),
    session: textField(item, 'Session'),
  }));
}

/** The path as it goes into a URL: its slashes stay, and so does a slash at the end. */
export function encodedKeyPath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
