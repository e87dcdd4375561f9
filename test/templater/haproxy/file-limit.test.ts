import { expect, test } from '@jest/globals';
import { fileLimitProblems } from '../../../templater/haproxy/file-limit.ts';

test.each([
  ['enough', { connections: 9_984, files: 20_000, neededFiles: 19_999 }, undefined],
  ['as many as needed', { connections: 1_000, files: 2_200, neededFiles: 2_200 }, undefined],
  [
    'few',
    { connections: 491, files: 1_024, neededFiles: 1_024 },
    /no more than 491 connections at once, as it may open 1024 files.*LimitNOFILE/,
  ],
  ['fewer than needed', { connections: 100, files: 150, neededFiles: 242 }, /may open 150 files and needs 242 for 100 connections.*nofile/],
  ['fewer than needed for many', { connections: 5_000, files: 4_096, neededFiles: 10_000 }, /may open 4096 files and needs 10000/],
])('where HAProxy may open %s files', (_, limit, reason) => {
  const problems = fileLimitProblems(limit);

  if (reason === undefined) expect(problems).toEqual([]);
  else expect(problems).toEqual([{ subject: 'edge', option: 'nofile', value: String(limit.files), reason: expect.stringMatching(reason) }]);
});
