// Fleet: the machines of a run: engines that run jobs, and the shop, whose business code schedules them.

import { type FleetParts, Host } from './host.js';

/** All processes of one run. */
export class Fleet {
  readonly engines: readonly Host[];
  readonly shop: Host;
  readonly #parts: FleetParts;

  constructor(parts: FleetParts) {
    this.#parts = parts;
    this.engines = Array.from(
      { length: parts.plan.engines },
      (_, index) => new Host(`engine-${index + 1}`, parts, parts.program),
    );
    this.shop = new Host('shop', parts, () => []);
  }

  /** The names of all hosts. */
  get names(): readonly string[] {
    return [...this.engines, this.shop].map(({ name }) => name);
  }

  /** Starts everything, and the faults that come by the hour. */
  start(): void {
    for (const host of [...this.engines, this.shop]) host.boot();
    for (const host of this.engines) {
      this.#every('pause', () => host.pause());
      this.#every('restart', () => host.restart());
    }
  }

  /** Makes sure that everything runs, on the new version of the program. */
  heal(): void {
    for (const host of [...this.engines, this.shop]) host.heal();
  }

  #every(fault: 'pause' | 'restart', happen: () => void): void {
    const { world, chance, tell } = this.#parts;
    const inMs = chance.nextInMs(fault);
    if (inMs === Infinity) return;
    world.after(inMs, () => {
      if (chance.healed) return;
      tell({ what: 'fault', host: undefined, fault, about: '' });
      happen();
      this.#every(fault, happen);
    });
  }
}
