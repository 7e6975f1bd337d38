// Fused probe: receives from one handle of a fused backend, in words that a test can be read in.

import { expect } from 'vitest';
import type { Backend, Delivery, Grant, ReceiveRequest, Transport } from '@carillon/core/spi';
import { LEASE_MS, type LedgerProbe } from '../ledger/ledger-probe.js';
import type { Closeable } from '../suite.js';

const MOMENT_MS = 50; // long enough for a receiver to see what is there

/** A fresh fused backend, and the time that it lives in. */
export interface FusedFixture extends Closeable {
  /** Both ports open, nothing in them. */
  readonly backend: Backend;
  /** Lets the backend's clock move on by at least so many ms: in virtual time at once, else by waiting. */
  readonly advance: (ms: number) => Promise<void>;
  /** Opens another handle on the same store, as another process would; tests that need one are skipped without it. */
  readonly second?: () => Promise<Backend>;
}

/** What a test of a fused backend works with. */
export interface ProbedBackend extends FusedFixture {
  readonly ledger: LedgerProbe;
  readonly probe: FusedProbe;
}

/** A `receive` under way. */
export interface PendingGrants {
  readonly answer: Promise<readonly Delivery[]>;
  /** Ends the wait, and returns the answer. */
  abort(): Promise<readonly Delivery[]>;
  answered(): boolean;
}

/** Speaks to one handle of a fused transport. */
export class FusedProbe {
  readonly #transport: Transport;
  readonly #advance: (ms: number) => Promise<void>;

  constructor(transport: Transport, advance: (ms: number) => Promise<void>) {
    this.#transport = transport;
    this.#advance = advance;
  }

  /** A probe of another handle on the same store. */
  through(transport: Transport): FusedProbe {
    return new FusedProbe(transport, this.#advance);
  }

  /** Starts to receive. */
  receive(over: Partial<ReceiveRequest> = {}): PendingGrants {
    const end = new AbortController();
    let answered = false;
    const answer = this.#transport
      .receive({ queue: 'default', max: 10, leaseMs: LEASE_MS, holder: 'engine-a', signal: end.signal, ...over })
      .finally(() => (answered = true));
    return {
      answer,
      abort: () => {
        end.abort();
        return answer;
      },
      answered: () => answered,
    };
  }

  /** Waits for grants, at least one. */
  async take(over: Partial<ReceiveRequest> = {}): Promise<readonly Grant[]> {
    return grantsOf(await this.receive(over).answer);
  }

  /** Waits for one grant. */
  async one(over: Partial<ReceiveRequest> = {}): Promise<Grant> {
    const [grant] = await this.take({ max: 1, ...over });
    return grant!;
  }

  /** Fails the test if there is something to receive now. */
  async nothing(over: Partial<ReceiveRequest> = {}): Promise<void> {
    const pending = this.receive(over);
    await this.#advance(MOMENT_MS);
    expect(idsOf(grantsOf(await pending.abort()))).toEqual([]);
  }
}

/** The grants that deliveries bring; every delivery of a fused transport brings one. */
export function grantsOf(deliveries: readonly Delivery[]): readonly Grant[] {
  return deliveries.map(({ granted }) => {
    if (granted === undefined) throw new Error('A delivery of a fused transport must be granted.');
    return granted;
  });
}

/** The ids of granted records, in order. */
export function idsOf(grants: readonly Grant[]): readonly string[] {
  return grants.map(({ record }) => record.key.id);
}
