import { readFileSync } from 'node:fs';

/** Whether a program brings all it needs, so that it runs in an image with nothing else: Debian has busybox both ways. */
export function isStatic(file: string): boolean {
  return !hasInterpreter(readFileSync(file));
}

const ELF_MAGIC = 0x7f454c46;
/** Segment type of the path of the dynamic loader (ELF specification, PT_INTERP). */
const INTERPRETER = 3;

/** Of a 64-bit little-endian ELF file; a file of another kind is not known to need no loader. Pure. */
export function hasInterpreter(elf: Buffer): boolean {
  if (elf.length < 64 || elf.readUInt32BE(0) !== ELF_MAGIC || elf[4] !== 2) return true;
  const [start, size, count] = [Number(elf.readBigUInt64LE(32)), elf.readUInt16LE(54), elf.readUInt16LE(56)];
  return Array.from({ length: count }, (_, i) => elf.readUInt32LE(start + i * size)).includes(INTERPRETER);
}
