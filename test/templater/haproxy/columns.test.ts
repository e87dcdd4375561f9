import { expect, test } from '@jest/globals';
import { columnsOf, rowsOf } from '../../../templater/haproxy/columns.ts';

const SERVERS = '1\n# be_id be_name age weight\n3 web 17 100\n4 shop 9 7\n';
const STATISTICS = '# pxname,svname,qcur,slim,\nweb,a,0,128,\nshop,b,4,,\n';

test('columns are kept by their names, in the order that they come in', () => {
  expect(columnsOf(SERVERS, ' ', ['weight', 'be_name'])).toBe('web 100\nshop 7\n');
  expect(columnsOf(STATISTICS, ',', ['pxname', 'slim'])).toBe('web,128\nshop,\n');
});

test('what is in other columns makes no difference', () => {
  expect(columnsOf(SERVERS.replace(' 17 ', ' 1800 '), ' ', ['be_name', 'weight'])).toBe(columnsOf(SERVERS, ' ', ['be_name', 'weight']));
});

test('rows have the wanted columns in the order that is asked for, and nothing for those that the answer has not', () => {
  expect(rowsOf(SERVERS, ' ', ['weight', 'none', 'be_name'])).toEqual([
    ['100', undefined, 'web'],
    ['7', undefined, 'shop'],
  ]);
  expect(rowsOf(STATISTICS, ',', ['pxname', 'slim'])).toEqual([
    ['web', '128'],
    ['shop', ''],
  ]);
});

test.each(['', 'no table\n', '# a b', '1\n# other names\nx y\n'])('%j has no rows', (answer) => {
  expect(rowsOf(answer, ' ', ['be_name'])).toEqual([]);
});
