import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { compileTemplate, TemplateError } from './compile.ts';
import { type TemplateConfig, templateName } from './template-config.ts';

/** What is wrong with templates that can be known without rendering them, a line each. */
export function sourceProblems(templates: readonly TemplateConfig[]): readonly string[] {
  return templates.flatMap((config) => {
    const name = templateName(config);
    const { source, trimBlocks, lstripBlocks, errorOnMissingKey } = config;
    if (source.kind === 'key') return [];
    try {
      const text = source.kind === 'file' ? readFileSync(source.path, 'utf8') : source.text;
      const folder = source.kind === 'file' ? dirname(source.path) : source.folder;
      compileTemplate({ name, text, folder, trimBlocks, lstripBlocks, errorOnMissingKey });
      return [];
    } catch (error) {
      return [error instanceof TemplateError ? error.message : `${name}: ${(error as Error).message}`];
    }
  });
}
