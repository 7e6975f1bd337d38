// Send causes: what entitles a host to store a message of a job at the broker. Each store uses one cause up.
//
// K1  A write that leaves messages in the job's outbox (it promises them, or finds them unsent) entitles its writer to one
//     store of each; a sweep that raises `sweeps` to one more.
// K2  An answer to a send that is lost on its way back entitles the sender to try again.
// K3  A delivery entitles the host that has it to flush what it finds promised, once; or else to make a promise of its own
//     (K1), but not to both.
// K4  What ends first is used first: a delivery pays before a write does, for the host may still need that after its ack.

import type { Instant } from '@carillon/core/spi';

interface Account {
  stores: number;
  /** Deliveries that the host has, and how many of them have flushed or promised something. */
  deliveries: number;
  used: number;
}

/** The causes for sends that a run has shown and that nobody has used yet. */
export class SendCauses {
  readonly #hosts = new Map<string, Map<string, Account>>();
  readonly #justStored = new Map<string, { readonly at: Instant; readonly ids: string[] }>();

  /** A host wrote a job's record, which entitles it to so many stores; `delivered` if that came of a delivery. */
  wrote(id: string, host: string, stores: number, delivered: boolean): void {
    if (stores === 0) return;
    const account = this.#of(host, id);
    account.stores += stores;
    if (delivered) account.used = Math.min(account.used + 1, account.deliveries);
  }

  /** A host was not answered to what it has just sent. */
  unheard(host: string, at: Instant): void {
    const just = this.#justStored.get(host);
    if (just?.at === at) for (const id of just.ids) this.#of(host, id).stores += 1;
  }

  /** A message of a job was delivered to a host. */
  delivered(id: string, host: string): void {
    this.#of(host, id).deliveries += 1;
  }

  /** A delivery has ended: it was acked or released. Who has used one, ends it next. */
  ended(id: string, host: string): void {
    const account = this.#known(host, id);
    if (account === undefined) return;
    account.deliveries = Math.max(0, account.deliveries - 1);
    account.used = Math.max(0, account.used - 1);
    this.#close(host, id, account);
  }

  /** The host's process is gone, and its deliveries with it. */
  gone(host: string): void {
    this.#hosts.delete(host);
  }

  /** A host stored a message of a job; false if it had no cause to. */
  stored(id: string, host: string, at: Instant): boolean {
    const just = this.#justStored.get(host);
    if (just?.at === at) just.ids.push(id);
    else this.#justStored.set(host, { at, ids: [id] });
    const account = this.#known(host, id);
    if (account === undefined) return false;
    if (account.used < account.deliveries) account.used += 1; // K4
    else if (account.stores > 0) account.stores -= 1;
    else return false;
    this.#close(host, id, account);
    return true;
  }

  /** Whether a host is entitled to a store by what it has written. */
  has(id: string, host: string): boolean {
    return (this.#known(host, id)?.stores ?? 0) > 0;
  }

  /** Whether a host has a delivery of a record, and so may flush what that promises. */
  holds(id: string, host: string): boolean {
    return (this.#known(host, id)?.deliveries ?? 0) > 0;
  }

  #known(host: string, id: string): Account | undefined {
    return this.#hosts.get(host)?.get(id);
  }

  /** Forgets an account with which nothing can be paid any more. */
  #close(host: string, id: string, { stores, deliveries, used }: Account): void {
    if (stores === 0 && deliveries === 0 && used === 0) this.#hosts.get(host)?.delete(id);
  }

  #of(host: string, id: string): Account {
    let jobs = this.#hosts.get(host);
    if (jobs === undefined) this.#hosts.set(host, (jobs = new Map()));
    let account = jobs.get(id);
    if (account === undefined) jobs.set(id, (account = { stores: 0, deliveries: 0, used: 0 }));
    return account;
  }
}
