import type { ActionConfig } from './template-config.ts';

/** Actions that are due for files that are written together: told together, so that one command serves them all. */
export interface SharedActions {
  readonly soon: (action: ActionConfig, destination: string) => void;
  /** Resolves when all that was due soon is due. */
  readonly told: () => Promise<void>;
}

/** `written` resolves when everything is written that belongs together. */
export function createSharedActions(written: () => Promise<void>, due: (action: ActionConfig, destination: string) => void): SharedActions {
  let waiting: (readonly [action: ActionConfig, destination: string])[] = [];
  let telling: Promise<void> | undefined;

  async function tell(): Promise<void> {
    await written();
    telling = undefined;
    const all = waiting;
    waiting = [];
    for (const [action, destination] of all) due(action, destination);
  }

  return {
    soon: (action, destination) => {
      waiting.push([action, destination]);
      telling ??= tell();
    },
    told: async () => await telling,
  };
}
