// Placements: carries `schedule` calls to the ledger and answers when they are durable.
//
// M1  The common case is one round trip: nothing is read before it is written. What stands in the way comes back with
//     the conflict, is looked at, and decided about again.
// M2  `schedule` resolves with the commit, broker up or down; the message goes out afterwards.
// M3  If nobody can tell whether a call took effect, the error names the id with which repeating it is safe.
// M4  Each call of a batch is placed or refused by itself.

import { CarillonError } from '../errors.js';
import { aliasTaken, aliasWrite } from '../job/alias.js';
import type { Candidate } from '../job/candidate.js';
import { deliveryTime, wakeMessage } from '../job/carriage.js';
import type { PlacedAnswer } from '../job/job.js';
import { NOTHING_STANDS, place, type Placing, repeated, type Standing } from '../job/place.js';
import { jobRecord, pointerRecord, queueOf } from '../message/names.js';
import type { Backend } from '../ports/backend.js';
import type { ChangeAnswer, Write } from '../ports/ledger.js';
import type { OutgoingMessage } from '../ports/outgoing-message.js';
import type { SendOutcome } from '../ports/transport.js';
import type { Ids } from '../time/clock.js';
import type { Engine } from './engine.js';

const ROUNDS = 50;
const NONE: ReadonlyMap<number, ScheduleRefusal> = new Map();

/** What `schedule` is told: what happened, to which job; on-claim jobs are `sent`. */
export type ScheduleAnswer = Omit<PlacedAnswer, 'outcome'> & { readonly outcome: PlacedAnswer['outcome'] | 'sent' };

/** A call of a batch that was refused, or (`E_UNCLEAR`) whose outcome nobody can tell. */
export interface ScheduleRefusal {
  readonly outcome: 'refused';
  readonly id: string;
  readonly error: CarillonError;
}

/** The placing of jobs. */
export class Placements {
  readonly #engine: Engine;
  readonly #backend: Backend;
  readonly #ids: Ids;
  readonly #sending = new Set<Promise<unknown>>();

  constructor(engine: Engine, backend: Backend, ids: Ids) {
    this.#engine = engine;
    this.#backend = backend;
    this.#ids = ids;
  }

  /** Places jobs in one round trip (and the few that meet something in more); the answers stand in the candidates' order. */
  place(candidates: readonly Candidate[]): Promise<readonly (ScheduleAnswer | ScheduleRefusal)[]> {
    if (this.#backend.fused === true || !candidates.some(({ onClaim }) => onClaim)) return this.#placeAll(candidates);
    return this.#placeEach(candidates);
  }

  /** Resolves when no message of a placed job is on its way to the transport any more. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#sending);
  }

  async #placeEach(candidates: readonly Candidate[]): Promise<readonly (ScheduleAnswer | ScheduleRefusal)[]> {
    const posted = await this.#postAll(candidates.filter(({ onClaim }) => onClaim));
    const placed = await this.#placeAll(candidates.filter(({ onClaim }) => !onClaim));
    const answers = { posted: posted.values(), placed: placed.values() };
    return candidates.map(({ onClaim, id }) => {
      const { value } = (onClaim ? answers.posted : answers.placed).next();
      return value ?? { outcome: 'refused', id, error: unclear(id, undefined) };
    });
  }

  async #placeAll(candidates: readonly Candidate[]): Promise<readonly (ScheduleAnswer | ScheduleRefusal)[]> {
    try {
      const reused = this.#backend.ledger.partitioned ? await this.#alias(candidates) : NONE;
      const first = candidates.map((candidate) => this.#decide(candidate, NOTHING_STANDS)); // M1
      const met = await this.#commit(first.map(({ writes }, index) => (reused.has(index) ? [] : writes)));
      const answers: (ScheduleAnswer | ScheduleRefusal)[] = [];
      for (let i = 0; i < candidates.length; i += 1) {
        const candidate = candidates[i]!;
        const refused = reused.get(i);
        if (refused !== undefined) answers.push(refused);
        else if (met[i]?.answer === 'ok') answers.push(this.#placed(candidate, first[i]!));
        else answers.push(await this.#again(candidate, met[i]));
      }
      return answers;
    } catch (error) {
      return candidates.map((candidate) => refusal(candidate, error));
    }
  }

  async #again(candidate: Candidate, met: ChangeAnswer | undefined): Promise<ScheduleAnswer | ScheduleRefusal> {
    try {
      for (let obstacle = met, round = 0; round < ROUNDS; round += 1) {
        if (obstacle?.answer === 'conflict' && obstacle.record !== undefined) {
          const { kind, id } = obstacle.key;
          const own = kind === 'answer' || (kind === 'job' && id === candidate.job.record.id);
          if (own) return repeated(candidate, obstacle.record);
        }
        const placing = this.#decide(candidate, await this.#look(candidate));
        if (placing.writes.length === 0) return placing.answer;
        [obstacle] = await this.#commit([placing.writes]);
        if (obstacle?.answer === 'ok') return this.#placed(candidate, placing);
      }
    } catch (error) {
      return refusal(candidate, error); // M4
    }
    return refusal(candidate, new Error('its key changed at every try'));
  }

  /** Leads from own ids to the partitions of their keys, before anything is placed there; answers which ids are taken. */
  async #alias(candidates: readonly Candidate[]): Promise<ReadonlyMap<number, ScheduleRefusal>> {
    const aliases = [...candidates.entries()].flatMap(([index, candidate]) => {
      const write = aliasWrite(candidate);
      return write === undefined ? [] : [{ index, candidate, write }];
    });
    if (aliases.length === 0) return NONE;
    const met = await this.#commit(aliases.map(({ write }) => [write]));
    const taken = new Map<number, ScheduleRefusal>();
    for (const [position, { index, candidate }] of aliases.entries()) {
      const answer = met[position];
      const reused = answer?.answer === 'conflict' ? aliasTaken(candidate, answer.record) : undefined;
      if (reused !== undefined) taken.set(index, refusal(candidate, reused));
    }
    return taken;
  }

  #decide(candidate: Candidate, standing: Standing): Placing {
    return place(candidate, standing, this.#engine.time.now(), this.#engine.carriage());
  }

  async #look({ namespace, job }: Candidate): Promise<Standing> {
    const { ledger } = this.#backend;
    if (job.body.key === undefined) return NOTHING_STANDS;
    const [pointer] = await ledger.read([pointerRecord(namespace, job.task, job.body.key)]);
    if (pointer === undefined) return NOTHING_STANDS;
    const [held] = await ledger.read([jobRecord(namespace, pointer.body, pointer.key.partition)]);
    return { pointer, held };
  }

  #commit(changes: readonly (readonly Write[])[]): Promise<readonly ChangeAnswer[]> {
    return this.#backend.ledger.commit(changes.map((writes) => ({ nonce: this.#ids.nonce(), writes, durable: true })));
  }

  #placed({ job, namespace }: Candidate, { writes, answer }: Placing): ScheduleAnswer {
    const { events, outbox } = this.#engine;
    for (const write of writes) {
      if (write.do !== 'put' || write.content.outbox.length === 0) continue;
      const messages = write.content.outbox.map((entry) => entry.message);
      const sending = outbox.send(write.key, messages).finally(() => this.#sending.delete(sending)); // M2
      this.#sending.add(sending);
    }
    if (events.hears('job:scheduled')) {
      const { id, outcome } = answer;
      const queue = queueOf(namespace, job.queue);
      events.emit('job:scheduled', { id, task: job.task, queue, key: job.body.key, dueAt: job.dueAt, outcome });
    }
    return answer;
  }

  async #postAll(candidates: readonly Candidate[]): Promise<readonly (ScheduleAnswer | ScheduleRefusal)[]> {
    const { limits } = this.#backend.transport;
    const now = this.#engine.time.now();
    const carriage = this.#engine.carriage();
    const messages = candidates.map(({ job }) => wakeMessage(job, deliveryTime(job, job.dueAt, now, carriage), true));
    const fitting = messages.filter(({ body }) => body.byteLength <= limits.maxBytes);
    const outcomes = await this.#engine.outbox.post(fitting);
    const outcomeOf = new Map<OutgoingMessage, SendOutcome | undefined>(
      fitting.map((message, index) => [message, outcomes[index]]),
    );
    return candidates.map(({ id }, index) => {
      const message = messages[index];
      const outcome = message && outcomeOf.get(message);
      if (outcome?.outcome === 'sent') return { outcome: 'sent', id };
      if (message !== undefined && !outcomeOf.has(message)) {
        return { outcome: 'refused', id, error: tooLarge(id, message.body.byteLength, limits.maxBytes) };
      }
      const error = outcome?.outcome === 'refused' ? refused(id, outcome.reason) : unclear(id, outcome?.cause);
      return { outcome: 'refused', id, error };
    });
  }
}

function refusal({ id }: Candidate, error: unknown): ScheduleRefusal {
  return { outcome: 'refused', id, error: CarillonError.is(error) ? error : unclear(id, error) };
}

function unclear(id: string, cause: unknown): CarillonError {
  return new CarillonError('E_UNCLEAR', `The backend did not answer; the job ${id} may have been placed or not.`, {
    next: 'Call again with the same id (see `id` of this error): a repeated call gets the first answer.', // M3
    cause,
    id,
  });
}

function refused(id: string, reason: string): CarillonError {
  return new CarillonError('E_REFUSED', `The broker refused the job ${id}: ${reason}.`, {
    next: 'Mend what the broker objects to, then call again.',
    id,
  });
}

function tooLarge(id: string, bytes: number, most: number): CarillonError {
  return new CarillonError(
    'E_PAYLOAD_SIZE',
    `The message of the on-claim job ${id} has ${bytes} bytes, more than ${most}.`,
    {
      next: "Make the payload smaller, pass a reference to it, or use record: 'on-schedule'.",
      id,
    },
  );
}
