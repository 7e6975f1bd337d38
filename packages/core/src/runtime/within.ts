// within: waits for something, but not for ever.

import type { Clock } from '../time/clock.js';

/** Whether something ended in time; rejects as it does. */
export function within(clock: Clock, ended: Promise<unknown>, ms: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(ms, () => resolve(false));
    ended.then(
      () => {
        timer.cancel();
        resolve(true);
      },
      (error: unknown) => {
        timer.cancel();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
