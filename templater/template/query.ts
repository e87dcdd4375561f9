/** Something a template reads from outside. Two with one `id` are the same. */
export interface Query {
  /** What it is called in status and log, such as `service web@dc2`. */
  readonly id: string;
  readonly source: Source;
  /** What templates get of an answer; `seesDetail` is to be called when one looks at what is not compared otherwise (checks' output). Pure. */
  readonly view: (answer: unknown, seesDetail: () => void) => unknown;
  /** How many things the view has, for the guard; absent where a loss is no sign of an outage. */
  readonly size?: (view: unknown) => number;
}

/** Where it comes from. `dc` is empty for the agent's own datacenter; the answer that a `view` gets is named in brackets. */
export type Source =
  /** All instances of a service [HealthEntry list] */
  | { readonly kind: 'service'; readonly name: string; readonly dc: string }
  /** Names of all services with their tags [ServiceList] */
  | { readonly kind: 'services'; readonly dc: string }
  /** One entry of the KV store [KeyValue or undefined] */
  | { readonly kind: 'key'; readonly path: string; readonly dc: string }
  /** Any other endpoint that can be asked to wait for a change [its JSON] */
  | { readonly kind: 'consul'; readonly path: string; readonly params: Readonly<Record<string, string>>; readonly dc: string }
  /** One that cannot, and is asked every now and then [its JSON] */
  | { readonly kind: 'poll'; readonly path: string; readonly everyMs: number; readonly dc: string }
  /** A file of this machine [its text, undefined when there is none] */
  | { readonly kind: 'file'; readonly path: string };

/** The datacenter a query asks, empty for the agent's own and for a file. */
export function datacenterOf({ source }: Query): string {
  return source.kind === 'file' ? '' : source.dc;
}
