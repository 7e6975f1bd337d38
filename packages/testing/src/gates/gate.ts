// Gate: lets calls of a port through, holds them up, or fails them, as a test has ordered.
//
// G1  Orders for one method are used up in the order in which they were given; each call meets at most one.
// G2  A call without an order passes as if the gate were not there.

/** At which moment of a call an order acts: before it reaches the port, or after it has, before its answer returns. */
export type GateMoment = 'before' | 'after';

/** How a call is to fail. */
export interface FailOrder {
  /** How many calls fail. Default 1. */
  readonly times?: number;
  /** How many calls pass first. Default 0. */
  readonly skip?: number;
  /** `after` loses only the answer: the call has had its effect. Default `before`. */
  readonly when?: GateMoment;
  /** What the call rejects with. */
  readonly error?: unknown;
}

/** Which call is to be held up. */
export interface HoldOrder {
  /** How many calls pass first. Default 0. */
  readonly skip?: number;
  /** Default `before`. */
  readonly when?: GateMoment;
}

/** A call that is held up, or will be. */
export interface Hold {
  /** Resolves when the call has arrived at the gate. */
  readonly reached: Promise<void>;
  /** Lets it go on; harmless before it arrives, and twice. */
  release(): void;
}

interface Order {
  readonly when: GateMoment;
  act(): Promise<void> | void;
}

const PASS: Order = { when: 'before', act: () => {} };

/** The orders for the calls of one port whose methods are named by `Method`. */
export class Gate<Method extends string> {
  readonly #orders = new Map<Method, Order[]>();
  readonly #calls = new Map<Method, number>();

  /** Makes calls of a method fail. */
  fail(method: Method, order: FailOrder = {}): void {
    const {
      times = 1,
      skip = 0,
      when = 'before',
      error = new Error(`The gate failed this call of ${method}.`),
    } = order;
    const act = (): void => {
      throw error;
    };
    this.#add(
      method,
      skip,
      Array.from({ length: times }, () => ({ when, act })),
    );
  }

  /** Holds a call of a method up, until it is released. */
  hold(method: Method, { skip = 0, when = 'before' }: HoldOrder = {}): Hold {
    let arrive = (): void => {};
    let release = (): void => {};
    const reached = new Promise<void>((resolve) => (arrive = resolve));
    const released = new Promise<void>((resolve) => (release = resolve));
    const act = (): Promise<void> => {
      arrive();
      return released;
    };
    this.#add(method, skip, [{ when, act }]);
    return { reached, release };
  }

  /** How many calls of a method have arrived. */
  calls(method: Method): number {
    return this.#calls.get(method) ?? 0;
  }

  /** Takes one call through the gate. */
  protected async pass<T>(method: Method, call: () => Promise<T>): Promise<T> {
    this.#calls.set(method, this.calls(method) + 1);
    const order = this.#orders.get(method)?.shift() ?? PASS; // G1, G2
    if (order.when === 'before') await order.act();
    const answer = await call();
    if (order.when === 'after') await order.act();
    return answer;
  }

  #add(method: Method, skip: number, orders: readonly Order[]): void {
    const waiting = this.#orders.get(method) ?? [];
    this.#orders.set(method, waiting);
    waiting.push(...Array.from({ length: skip }, () => PASS), ...orders);
  }
}
