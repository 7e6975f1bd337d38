// Outbox: sends what commits have promised, and strikes off what was sent.
//
// O1  A message goes out only after the commit that promised it.
// O2  What could not be sent now stays in the record's outbox: a redelivery or the sweep sends it.
// O3  A refusal for good is told to the kind, which sets the record aside with the reason.

import type { Ledger, LedgerRecord, RecordKey, Write } from '../ports/ledger.js';
import type { OutgoingMessage } from '../ports/outgoing-message.js';
import type { SendOutcome, Transport } from '../ports/transport.js';
import type { Kind } from '../task/kind.js';
import type { Ids } from '../time/clock.js';
import type { Availability } from './availability.js';
import type { Events } from './events.js';
import type { LedgerTime } from './ledger-time.js';

/** What the outbox works with. */
export interface OutboxParts {
  readonly transport: Transport;
  readonly ledger: Ledger;
  readonly ids: Ids;
  readonly time: LedgerTime;
  readonly availability: Availability;
  readonly events: Events;
  readonly kinds: ReadonlyMap<string, Kind>;
}

const TRIES = 3;
const UNHEARD: SendOutcome = { outcome: 'unknown', cause: new Error('The transport gave no answer for a message.') };

/** Sends promised messages. */
export class Outbox {
  readonly #parts: OutboxParts;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /** Sends the messages of one record; true if every one of them is stored now (O2). */
  async send(key: RecordKey, messages: readonly OutgoingMessage[]): Promise<boolean> {
    if (messages.length === 0) return true;
    const outcomes = await this.post(messages);
    const refused = outcomes.find((outcome) => outcome.outcome === 'refused');
    if (refused?.outcome === 'refused') return this.#refuse(key, refused.reason);

    const sent = messages.filter((_, index) => outcomes[index]?.outcome === 'sent').map((message) => message.id);
    if (sent.length > 0) await this.#strike(key, sent);
    return sent.length === messages.length;
  }

  /** Sends what a record still has in its outbox; true if nothing is left. */
  flush(record: LedgerRecord): Promise<boolean> {
    return this.send(
      record.key,
      record.outbox.map((entry) => entry.message),
    );
  }

  /** Sends messages, those of unknown outcome up to three times with the same id. */
  async post(messages: readonly OutgoingMessage[]): Promise<readonly SendOutcome[]> {
    const outcomes = new Map<OutgoingMessage, SendOutcome>();
    let open = messages;
    for (let attempt = 1; attempt <= TRIES && open.length > 0; attempt += 1) {
      try {
        const sent = await this.#parts.transport.send(open);
        for (const [index, message] of open.entries()) outcomes.set(message, sent[index] ?? UNHEARD);
      } catch (cause) {
        this.#parts.availability.report(cause);
        for (const message of open) outcomes.set(message, { outcome: 'unknown', cause });
        break; // the transport is out of reach: O2
      }
      open = open.filter((message) => outcomes.get(message)?.outcome === 'unknown');
    }
    return messages.map((message) => outcomes.get(message) ?? UNHEARD);
  }

  async #strike(key: RecordKey, messages: readonly string[]): Promise<void> {
    const write: Write = { do: 'sent', key, messages };
    try {
      await this.#parts.ledger.commit([{ nonce: this.#parts.ids.nonce(), writes: [write], durable: false }]);
    } catch (error) {
      this.#parts.availability.report(error); // the message goes out once more, as a copy
    }
  }

  async #refuse(key: RecordKey, reason: string): Promise<boolean> {
    const { ledger, ids, time, availability, events, kinds } = this.#parts;
    for (;;) {
      const [record] = (await availability.persist(() => ledger.read([key]))) ?? [];
      const kind = kinds.get(key.kind);
      if (record === undefined || kind === undefined || record.wakeAt === undefined) return true;
      const why = `refused by the broker: ${reason}`;
      const step = kind.setAside(record, { version: record.version }, why, time.now()); // O3
      const change = { nonce: ids.nonce(), writes: step.writes, durable: true };
      const [answer] = (await availability.persist(() => ledger.commit([change]))) ?? [];
      if (answer?.answer === 'ok') events.tell(step.happenings);
      if (answer === undefined || answer.answer !== 'conflict') return true;
    }
  }
}
