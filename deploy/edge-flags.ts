/**
 * Flags of Node that an edge's templater is started with: young memory (MiB) as large as a plan needs it, since Node's own 16 would stay (decision 19).
 * The build keeps compiled code for them; toots.sh and the Dockerfile have them too.
 */
export const EDGE_FLAGS = ['--max-semi-space-size=4'] as const;
