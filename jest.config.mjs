/** Node 20 cannot strip types, so swc does; from Node 24.9 `transform: {}` is enough. */
export default {
  testEnvironment: 'node',
  // Node's own fetch is set up once for all files of a worker; what jest would take away after the first one, the second still needs.
  testEnvironmentOptions: { globalsCleanup: 'off' },
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' }, sourceMaps: 'inline' }],
  },
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist'],
};
