// Handle: one adapter's hold on a store: opens it when it is first needed, and gives it up at `close`.

import { CarillonError, systemClock } from '@carillon/core/spi';
import type { Clock } from '@carillon/core/spi';
import { Store } from './store.js';

/** Options of everything embedded. */
export interface EmbeddedOptions {
  /** `fsync` (default): an answered, durable change survives a power cut. `async`: it survives the death of the
   *  process; a power cut may undo the last transactions, and never tears one. */
  readonly durability?: 'fsync' | 'async';
  /** The clock of leases and due times; by default the host's. All who share a folder must share it. */
  readonly clock?: Clock;
}

const DURABILITIES: readonly string[] = ['fsync', 'async'];

/** One adapter's hold on a store. */
export class Handle {
  readonly clock: Clock;
  readonly durability: 'fsync' | 'async';
  readonly #folder: string;
  #entering: Promise<Store> | undefined;
  #store: Store | undefined;
  #closed = false;

  /** Throws `E_OPTIONS` for a folder that is no name, an unknown option or durability: a typing error gives up nothing. */
  constructor(folder: string, options: EmbeddedOptions) {
    const { durability = 'fsync', clock = systemClock } = options;
    const unknown = Object.keys(options).find((name) => name !== 'durability' && name !== 'clock');
    if (typeof folder !== 'string' || folder === '' || unknown !== undefined || !DURABILITIES.includes(durability)) {
      const what = unknown === undefined ? JSON.stringify({ folder, durability }) : `the option ${unknown}`;
      throw new CarillonError('E_OPTIONS', `The embedded store does not understand ${what}.`, {
        next: "Write embedded('./data'), or embedded('./data', { durability: 'async' }).",
      });
    }
    this.#folder = folder;
    this.durability = durability;
    this.clock = clock;
  }

  /** The store, if it is open already. */
  get opened(): Store | undefined {
    return this.#store;
  }

  /** Opens the store, also after `close`. */
  async open(): Promise<void> {
    this.#closed = false;
    await this.store();
  }

  /** The store; throws `E_STOPPED` after `close`, and what is wrong with the folder. */
  store(): Promise<Store> {
    if (this.#closed) return Promise.reject(stopped());
    this.#entering ??= Store.enter(this.#folder, this.clock).then(
      (store) => (this.#store = store),
      (error: unknown) => {
        this.#entering = undefined;
        throw error;
      },
    );
    return this.#entering;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const entering = this.#entering;
    this.#entering = undefined;
    this.#store = undefined;
    const store = await entering?.catch(() => undefined); // whoever opened it heard why it failed
    await store?.leave();
  }
}

function stopped(): CarillonError {
  return new CarillonError('E_STOPPED', 'The embedded store is closed.', { next: 'Open it again.' });
}
