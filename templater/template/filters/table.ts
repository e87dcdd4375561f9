import { documentFilters } from './documents.ts';
import { encodingFilters } from './encodings.ts';
import { listFilters } from './lists.ts';
import { mapFilters } from './maps.ts';
import { numberFilters } from './numbers.ts';
import { regexFilters } from './regex.ts';
import { textFilters } from './text.ts';
import type { Filter } from './values.ts';

/** Every filter beyond Nunjucks' own. Adding one is adding a row to one of these tables, a case to its test and a line to the docs. */
export const FILTERS: Readonly<Record<string, Filter>> = {
  ...textFilters,
  ...regexFilters,
  ...listFilters,
  ...mapFilters,
  ...numberFilters,
  ...encodingFilters,
  ...documentFilters,
};
