import { absentFunctions } from './absent.ts';
import { catalogFunctions } from './catalog.ts';
import { keyFunctions } from './keys.ts';
import { machineFunctions } from './machine.ts';
import type { TemplateFunction } from './reader.ts';

/** Every function of templates. Adding one is adding a row to one of these tables, a case to its test and a line to the docs. */
export const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  ...catalogFunctions,
  ...keyFunctions,
  ...machineFunctions,
  ...absentFunctions,
};
