// Trace: what happened in a run, as one number that tells two runs apart, and as lines for people.

import type { Observation } from '../observation.js';

/** A number that two runs share only if the same things happened in the same order. */
export class TraceHash {
  #hash = 0x811c9dc5;

  /** Takes one observation in. */
  readonly add = (observation: Observation): void => {
    this.#text(observation.what);
    this.#number(observation.at);
    if (observation.host !== undefined) this.#text(observation.host);
    switch (observation.what) {
      case 'record':
        this.#text(observation.key.id);
        this.#text(observation.change);
        this.#number(observation.after?.version ?? 0);
        this.#number(observation.after?.fence ?? 0);
        break;
      case 'message':
        this.#text(observation.message.id);
        this.#text(observation.change);
        break;
      case 'attempt':
        this.#text(observation.attempt.jobId);
        this.#number(observation.attempt.fence);
        break;
      case 'request':
        this.#text(observation.name);
        break;
      default:
        break;
    }
  };

  /** The number so far, as text. */
  get value(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  #text(text: string): void {
    for (let i = 0; i < text.length; i += 1) this.#hash = Math.imul(this.#hash ^ text.charCodeAt(i), 0x01000193);
  }

  #number(value: number): void {
    this.#hash = Math.imul(this.#hash ^ (value | 0), 0x01000193);
    this.#hash = Math.imul(this.#hash ^ ((value / 2 ** 32) | 0), 0x01000193);
  }
}
