import type { ConsulAgent } from '../consul/agent.ts';
import type { ConsulRefusal } from '../consul/call.ts';
import type { Problem } from '../model/problem.ts';
import type { Step } from './reconcile.ts';

/** Does one step. @throws OperationError when the agent does not take it */
export function writeStep(agent: ConsulAgent, id: string, step: Step, signal: AbortSignal): Promise<void> {
  switch (step.kind) {
    case 'register':
      return agent.register(step.registration, signal, step.hold);
    case 'deregister':
      return agent.deregister(id, signal);
    case 'deregister check':
      return agent.deregisterCheck(step.checkId, signal);
    case 'tell status':
      return agent.tellStatus(
        step.checkId,
        step.status,
        `Docker finds the container ${step.status === 'passing' ? 'healthy' : 'not healthy'}`,
        signal,
      );
    case 'hold':
      return agent.maintain(id, step.reason, signal);
    case 'release':
      return agent.maintain(id, undefined, signal);
  }
}

/** What a refused step is as a problem. */
export function refusalProblem(id: string, step: Step, error: ConsulRefusal): Problem {
  const remedy = error.isForbidden ? 'the token needs service:write for this service (and agent:read)' : 'it is tried again';
  return {
    subject: step.kind === 'register' ? step.registration.name : id,
    option: 'Consul',
    value: id,
    reason: `${step.kind} was refused: ${error.hint ?? error.message}; ${remedy}`,
  };
}
