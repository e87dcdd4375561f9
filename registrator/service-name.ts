import { META, type Registered } from '../consul/registration.ts';
import type { Container } from './container.ts';
import { type PortMetadata, readMetadata } from './metadata.ts';
import { joinTags, parseTags } from './tags.ts';

/** What names a service that does not name itself. */
export type NameSource = 'image' | 'compose';

const COMPOSE_SERVICE = 'com.docker.compose.service';

/** The names that a port's keys give: `web,web-int` is one service more. */
export function givenNames(metadata: PortMetadata): readonly string[] {
  return joinTags(parseTags(metadata.get('name') ?? ''));
}

/** The name of a container's services where no key names them. `imageName` is what a bare image ID stands for, where it stands for something. */
export function defaultName(container: Container, imageName: string | undefined, from: NameSource): string {
  const composeService = container.labels[COMPOSE_SERVICE] || undefined;
  if (from === 'compose' && composeService !== undefined) return composeService;
  if (!hasBareImage(container)) return baseName(container.image);
  return imageName ?? composeService ?? container.name;
}

/** Whether the container was made from an image's ID, which is no name. */
export function hasBareImage({ image, imageId }: Container): boolean {
  const hex = image.replace(/^sha256:/, '');
  return /^[0-9a-f]{4,64}$/.test(hex) && imageId.startsWith(`sha256:${hex}`);
}

/** The last part of an image's path, without registry, tag and digest: `repo:5000/team/web:1.2@sha256:…` is `web`. */
export function baseName(image: string): string {
  const path = image.replace(/@.*$/, '');
  return path.slice(path.lastIndexOf('/') + 1).replace(/:.*$/, '');
}

/** The name that an image goes by: the first of its tags, in byte order. */
export function nameOfTags(tags: readonly string[]): string | undefined {
  const [first] = tags.filter((tag) => !tag.startsWith('<none>')).sort();
  return first === undefined ? undefined : baseName(first);
}

/** The deployment a container belongs to: Marathon's app, the Compose service, else the image. */
export function variantOf({ env, labels, image }: Container, imageName: string | undefined): string {
  const marathon = env.find((variable) => variable.startsWith('MARATHON_APP_ID='))?.slice('MARATHON_APP_ID='.length);
  if (marathon) return marathon;
  const service = labels[COMPOSE_SERVICE];
  const project = labels['com.docker.compose.project'];
  if (service) return project ? `${project}/${service}` : service;
  return imageName ?? image;
}

/**
 * What a bare image ID stood for when the container's services were registered: the name stays for the container's life, though the tag
 * may have moved since. The variant tells it, or else a name that no key gives, without the suffix of several ports.
 */
export function earlierImageName(container: Container, registered: readonly Registered[]): string | undefined {
  const variant = registered[0]?.meta[META.variant];
  const metadata = readMetadata(container.env, container.labels);
  const ports = [...new Set([...container.exposed, ...container.bindings.keys()])].map((port) => Number(port.split('/')[0]));
  const saysVariant = ports.some((port) => metadata.ofPort(port).get('variant') !== undefined) || variantOf(container, '') !== '';
  if (!saysVariant) return variant === container.image ? undefined : variant;
  const given = new Set(ports.flatMap((port) => givenNames(metadata.ofPort(port))));
  const suffix = new RegExp(`-(?:${ports.join('|')})$`);
  const name = registered
    .map((service) => (registered.length > 1 ? service.name.replace(suffix, '') : service.name))
    .find((known) => !given.has(known));
  return name === container.labels[COMPOSE_SERVICE] || name === container.name ? undefined : name;
}
