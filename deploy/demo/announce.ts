import type { DemoPorts } from './demo-ports.ts';
import { SPLIT_REQUESTS, type Split } from './split.ts';
import { SPLIT_HOST, type VisitResult } from './visits.ts';

/** What a person can try now, each with the answer that the demo itself got. Pure. */
export function announcement(results: readonly VisitResult[], split: Split, httpPort: number): string {
  const edge = `http://127.0.0.1${httpPort === 80 ? '' : `:${httpPort}`}`;
  const blocks = results.map(({ visit, ...result }) =>
    block(visit.title, visit.command, result.kind === 'good' ? shownAnswer(result.answer) : []),
  );
  const shares = Object.entries(split)
    .sort(([, a], [, b]) => b - a)
    .map(([deployment, count]) => `${deployment} ${count}`);
  const loop = `for i in $(seq ${SPLIT_REQUESTS}); do curl -sH 'Host: ${SPLIT_HOST}' ${edge}/; done | cut -d' ' -f1 | sort | uniq -c`;
  return [...blocks, block(`Stable and canary, ${SPLIT_REQUESTS} requests`, loop, [shares.join(', ')])].join('\n');
}

function block(title: string, command: string, answer: readonly string[]): string {
  return [`  ${title}`, `    ${command}`, ...answer.map((line) => `      → ${line}`), ''].join('\n');
}

/** What to do with a demo that was looked at; `containers` is what its containers' names begin with. Pure. */
export function nextSteps(ports: Pick<DemoPorts, 'consul' | 'templater'>, containers: string): string {
  const api = ports.templater === 9182 ? '' : ` -api 127.0.0.1:${ports.templater}`;
  const consul = ports.consul === 8500 ? '' : ` -consul 127.0.0.1:${ports.consul}`;
  const steps = [
    [`./toots.sh explain ${SPLIT_HOST}/media${api}`, 'why a request goes where it goes'],
    [`./toots.sh weight python python-stable=50 python-canary=50${consul}`, 'half of the requests for the canary'],
    [`docker stop ${containers}-python-stable`, 'it is drained first, then the canary has them all'],
  ] as const;
  const width = Math.max(...steps.map(([typed]) => typed.length));
  return ['  And then', ...steps.map(([typed, effect]) => `    ${typed.padEnd(width)}   ${effect}`), ''].join('\n');
}

/** A page is opened, not read here. */
function shownAnswer(answer: string): readonly string[] {
  return answer.includes('<html') || answer.includes('<!DOCTYPE') ? [] : answer.trim().split('\n');
}
