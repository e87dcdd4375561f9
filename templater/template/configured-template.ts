import { resolve } from 'node:path';
import type { RawTemplate } from './config-schema.ts';
import { type ActionConfig, COMMAND_TIMEOUT_MS, TEMPLATE_DEFAULTS, type TemplateConfig } from './template-config.ts';

/** A template of the configuration, or what is wrong with it as a whole. Relative paths start in `folder`. Pure. */
export function configuredTemplate(raw: RawTemplate, folder: string): TemplateConfig | string {
  const wrong = contradiction(raw);
  if (wrong !== undefined) return wrong;
  return {
    ...TEMPLATE_DEFAULTS,
    source: sourceOf(raw, folder),
    destination: resolve(folder, raw.destination ?? ''),
    destinationAsGiven: raw.destination,
    createDestDirs: raw.create_dest_dirs ?? true,
    perms: raw.perms,
    user: raw.user,
    group: raw.group,
    backups: Number(raw.backup ?? 0),
    inPlace: raw.in_place ?? false,
    check: raw.check === undefined ? undefined : { command: raw.check, timeoutMs: raw.check_timeout ?? COMMAND_TIMEOUT_MS },
    action: actionOf(raw),
    wait: raw.wait,
    errorOnMissingKey: raw.error_on_missing_key ?? false,
    trimBlocks: raw.trim_blocks ?? false,
    lstripBlocks: raw.lstrip_blocks ?? false,
    sandboxPath: raw.sandbox_path === undefined ? undefined : resolve(folder, raw.sandbox_path),
  };
}

function contradiction(raw: RawTemplate): string | undefined {
  const sources = [raw.source, raw.contents, raw.key].filter((value) => value !== undefined);
  if (raw.destination === undefined) return 'needs a destination, the file that it is rendered to';
  if (sources.length !== 1) return 'needs exactly one of source, contents and key';
  if (raw.command !== undefined && raw.exec?.command !== undefined) return 'has a command and an exec.command: give one of them';
  const command = raw.command ?? raw.exec?.command;
  if (command !== undefined && raw.signal !== undefined) return 'has both a command and a signal: give one of them';
  if ((raw.signal === undefined) !== (raw.pid_file === undefined)) return 'signal and pid_file belong together';
  return raw.leader === true && command === undefined ? 'leader: true needs a command' : undefined;
}

function sourceOf({ source, contents, key }: RawTemplate, folder: string): TemplateConfig['source'] {
  if (source !== undefined) return { kind: 'file', path: resolve(folder, source) };
  return key === undefined ? { kind: 'contents', text: contents ?? '', folder } : { kind: 'key', path: key.replace(/^\//, '') };
}

function actionOf({ command, command_timeout, exec, leader, signal, pid_file: pidFile }: RawTemplate): ActionConfig | undefined {
  const run = command ?? exec?.command;
  if (run !== undefined) {
    const timeoutMs = command_timeout ?? exec?.timeout ?? COMMAND_TIMEOUT_MS;
    return { kind: 'command', command: run, timeoutMs, ...(exec?.env && { envRules: exec.env }), isForLeader: leader ?? false };
  }
  return signal === undefined || pidFile === undefined ? undefined : { kind: 'signal', signal, pidFile };
}
