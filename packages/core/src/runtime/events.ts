// Events: hands what happens to the program's listeners. A listener that throws is logged and hurts nobody.

import type { EventMap, Happening, Listener } from '../task/events.js';
import type { Logger } from '../task/logger.js';

/** The listeners of one engine. */
export class Events {
  readonly #listeners = new Map<keyof EventMap, Set<Listener<never>>>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Adds a listener; returns a function that takes it away. */
  on<K extends keyof EventMap>(event: K, listener: Listener<K>): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** Whether anybody listens: saves building data that nobody hears. */
  hears(event: keyof EventMap): boolean {
    return (this.#listeners.get(event)?.size ?? 0) > 0;
  }

  /** Tells the listeners of one event. */
  emit<K extends keyof EventMap>(event: K, data: EventMap[K]): void {
    for (const listener of this.#listeners.get(event) ?? []) {
      try {
        (listener as Listener<K>)(data);
      } catch (error) {
        this.#log.error({ err: error, event }, 'a listener threw');
      }
    }
  }

  /** Tells what a committed step has to tell. */
  tell(happenings: () => readonly Happening[]): void {
    if (this.#listeners.size === 0) return;
    for (const { event, data } of happenings()) this.emit(event, data);
  }
}
