import { test } from '@jest/globals';
import { holdsProperty } from './edge-property/property.ts';

/** More of them: TOOTS_TEST_CATALOGS=100. */
const RUNS = Number(process.env['TOOTS_TEST_CATALOGS'] ?? 12);

test('after any sequence of catalogs HAProxy and its files are what the plan says, and so is a HAProxy that starts from the files', async () => {
  await holdsProperty(process.env['TOOTS_HAPROXY'] ?? 'haproxy', RUNS);
}, 600_000);
