import type { Container } from './container.ts';

/** One `-filter`, in Docker's words: a label, with a value or with any; a Compose project; a network. */
export type ContainerFilter =
  | { readonly kind: 'label'; readonly key: string; readonly value?: string }
  | { readonly kind: 'project'; readonly name: string }
  | { readonly kind: 'network'; readonly name: string };

/** Reads `label=KEY`, `label=KEY=VALUE`, `project=NAME` or `network=NAME`; undefined for anything else. */
export function parseFilter(text: string): ContainerFilter | undefined {
  const [, kind, name = '', value] = /^(label|project|network)=([^=]+)(?:=(.*))?$/s.exec(text) ?? [];
  if (kind === 'label') return { kind, key: name, ...(value !== undefined && { value }) };
  return (kind === 'project' || kind === 'network') && value === undefined ? { kind, name } : undefined;
}

/** Pure: whether a container is registered at all. Of each kind of filter that there is, one must fit. */
export function isSelected(container: Container, filters: readonly ContainerFilter[]): boolean {
  return filters.every(({ kind }) => filters.some((filter) => filter.kind === kind && fits(container, filter)));
}

function fits({ labels, networks, networkMode }: Container, filter: ContainerFilter): boolean {
  switch (filter.kind) {
    case 'label':
      return Object.hasOwn(labels, filter.key) && (filter.value === undefined || labels[filter.key] === filter.value);
    case 'project':
      return labels['com.docker.compose.project'] === filter.name;
    case 'network':
      return networkMode === filter.name || networks.some(({ network }) => network === filter.name);
  }
}
