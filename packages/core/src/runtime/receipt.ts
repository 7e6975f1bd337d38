// Receipt: acks and releases of deliveries. One that fails means another delivery, which is harmless (Y1 of delivery.ts).

import type { Delivery } from '../ports/transport.js';
import type { Availability } from './availability.js';

/** How long what could not be finished is given back for, in milliseconds. */
export const GIVE_BACK_MS = 15_000;

/** Acks a delivery if its work is done, else gives it back for a while. */
export async function ackIf(delivery: Delivery, done: boolean, availability: Availability): Promise<void> {
  if (!done) return giveBack(delivery, GIVE_BACK_MS, availability);
  try {
    await delivery.ack();
  } catch (error) {
    availability.report(error);
  }
}

/** Acks what a commit has ended by itself: nobody waits for that. */
export function ackEnded(delivery: Delivery, availability: Availability): void {
  delivery.ack().catch((error: unknown) => availability.report(error));
}

/** Gives a delivery back, to come again after a while. */
export async function giveBack(delivery: Delivery, afterMs: number, availability: Availability): Promise<void> {
  try {
    await delivery.release(afterMs);
  } catch (error) {
    availability.report(error);
  }
}
