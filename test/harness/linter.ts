import { execa } from 'execa';
import { findProgram } from '../../daemon/find-program.ts';
import { installPackages } from '../../deploy/host/debian.ts';

/** Runs a linter of Debian's, installed where it is missing; answers what it found, nothing when all is well. */
export async function lint(program: 'shellcheck' | 'yamllint', args: readonly string[], input?: string): Promise<string> {
  if (findProgram(program) === undefined) await installPackages([program], new AbortController().signal);
  const { all } = await execa(program, args, { all: true, reject: false, ...(input === undefined ? { stdin: 'ignore' } : { input }) });
  return all;
}
