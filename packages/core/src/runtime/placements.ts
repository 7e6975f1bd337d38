// Placements: carries `schedule` calls to the ledger and answers when they are durable.
//
// M1  The common case is one round trip: nothing is read before it is written. What stands in the way comes back with
//     the conflict, is looked at, and decided about again.
// M2  `schedule` resolves with the commit, broker up or down; the message goes out afterwards.
// M3  If nobody can tell whether a call took effect, the error names the id with which repeating it is safe.

import { CarillonError } from '../errors.js';
import { wakeMessage, deliveryTime } from '../job/carriage.js';
import type { Candidate } from '../job/candidate.js';
import type { PlacedAnswer } from '../job/job.js';
import { NOTHING_STANDS, place, type Placing, repeated, type Standing } from '../job/place.js';
import { jobRecord, pointerRecord, queueOf } from '../message/names.js';
import type { Change, ChangeAnswer, LedgerRecord } from '../ports/ledger.js';
import type { Ids } from '../time/clock.js';
import type { Engine } from './engine.js';
import type { Backend } from '../ports/backend.js';

const ROUNDS = 50;

/** What `schedule` is told: what happened, to which job; on-claim jobs are `sent`. */
export type ScheduleAnswer = Omit<PlacedAnswer, 'outcome'> & { readonly outcome: PlacedAnswer['outcome'] | 'sent' };

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
  async place(candidates: readonly Candidate[]): Promise<readonly ScheduleAnswer[]> {
    const kept = candidates.filter((candidate) => !candidate.onClaim);
    const sent = candidates.filter((candidate) => candidate.onClaim);
    const [placed, posted] = await Promise.all([this.#placeAll(kept), this.#postAll(sent)]);
    const answers = new Map([...placed, ...posted]);
    return candidates.map((candidate) => answers.get(candidate) as ScheduleAnswer);
  }

  /** Resolves when no message of a placed job is on its way to the transport any more. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#sending);
  }

  async #placeAll(candidates: readonly Candidate[]): Promise<[Candidate, ScheduleAnswer][]> {
    if (candidates.length === 0) return [];
    const first = candidates.map((candidate) => this.#decide(candidate, NOTHING_STANDS)); // M1
    const answers = await this.#commit(first, candidates);
    const results: [Candidate, ScheduleAnswer][] = [];
    for (const [index, candidate] of candidates.entries()) {
      const answer = answers[index];
      const placing = first[index] as Placing;
      results.push([
        candidate,
        answer?.answer === 'ok' ? this.#placed(candidate, placing) : await this.#again(candidate, answer),
      ]);
    }
    return results;
  }

  async #again(candidate: Candidate, met: ChangeAnswer | undefined): Promise<ScheduleAnswer> {
    let obstacle = met;
    for (let round = 0; round < ROUNDS; round += 1) {
      if (obstacle?.answer === 'conflict' && obstacle.record !== undefined && obstacle.key.kind !== 'key') {
        const own = obstacle.key.id === candidate.job.record.id || obstacle.key.kind === 'answer';
        if (own) return repeated(candidate, obstacle.record);
      }
      const placing = this.#decide(candidate, await this.#look(candidate));
      if (placing.writes.length === 0) return placing.answer;
      [obstacle] = await this.#commit([placing], [candidate]);
      if (obstacle?.answer === 'ok') return this.#placed(candidate, placing);
    }
    throw new CarillonError('E_UNCLEAR', `The job ${candidate.id} could not be placed: its key changed at every try.`, {
      next: 'Nothing was placed; call again with the same id.',
      id: candidate.id,
    });
  }

  #decide(candidate: Candidate, standing: Standing): Placing {
    return place(candidate, standing, this.#engine.time.now(), this.#engine.carriage());
  }

  async #look({ namespace, job }: Candidate): Promise<Standing> {
    if (job.body.key === undefined) return NOTHING_STANDS;
    const [pointer] = await this.#read([pointerRecord(namespace, job.task, job.body.key)]);
    if (pointer === undefined) return NOTHING_STANDS;
    const [held] = await this.#read([jobRecord(namespace, pointer.body, pointer.key.partition)]);
    return { pointer, held };
  }

  async #read(keys: Parameters<Backend['ledger']['read']>[0]): Promise<readonly (LedgerRecord | undefined)[]> {
    return this.#backend.ledger.read(keys);
  }

  async #commit(placings: readonly Placing[], candidates: readonly Candidate[]): Promise<readonly ChangeAnswer[]> {
    const changes = placings.map(({ writes }): Change => ({ nonce: this.#ids.nonce(), writes, durable: true }));
    try {
      return await this.#backend.ledger.commit(changes);
    } catch (cause) {
      if (CarillonError.is(cause)) throw cause;
      const [one] = candidates;
      const which =
        candidates.length === 1 && one !== undefined ? `the job ${one.id}` : `${String(candidates.length)} jobs`;
      throw new CarillonError('E_UNCLEAR', `The ledger did not answer; ${which} may have been placed or not.`, {
        next: 'Call again with the same id (see `id` of this error): a repeated call gets the first answer.', // M3
        cause,
        ...(candidates.length === 1 && one !== undefined && { id: one.id }),
      });
    }
  }

  #placed(candidate: Candidate, placing: Placing): ScheduleAnswer {
    const { events, outbox } = this.#engine;
    const { job, namespace } = candidate;
    for (const write of placing.writes) {
      if (write.do !== 'put' || write.content.outbox.length === 0) continue;
      const messages = write.content.outbox.map((entry) => entry.message);
      const sending = outbox.send(write.key, messages).finally(() => this.#sending.delete(sending)); // M2
      this.#sending.add(sending);
    }
    if (events.hears('job:scheduled')) {
      const { id, outcome } = placing.answer;
      events.emit('job:scheduled', {
        id,
        task: job.task,
        queue: queueOf(namespace, job.queue),
        key: job.body.key,
        dueAt: job.dueAt,
        outcome,
      });
    }
    return placing.answer;
  }

  async #postAll(candidates: readonly Candidate[]): Promise<[Candidate, ScheduleAnswer][]> {
    if (candidates.length === 0) return [];
    if (this.#backend.fused === true) return this.#placeAll(candidates); // the record is the message
    const now = this.#engine.time.now();
    const messages = candidates.map(({ job }) =>
      wakeMessage(job, deliveryTime(job, job.dueAt, now, this.#engine.carriage()), true),
    );
    const outcomes = await this.#engine.outbox.post(messages);
    return candidates.map((candidate, index) => {
      const outcome = outcomes[index];
      if (outcome?.outcome === 'sent') return [candidate, { outcome: 'sent', id: candidate.id }];
      const refused = outcome?.outcome === 'refused';
      throw new CarillonError(
        refused ? 'E_REFUSED' : 'E_UNCLEAR',
        `The job ${candidate.id} was ${refused ? `refused: ${outcome.reason}` : 'perhaps not sent'}.`,
        {
          next: refused
            ? 'Mend what the broker objects to.'
            : 'Call again with the same id: copies collapse when they are claimed.', // M3
          id: candidate.id,
          ...(outcome?.outcome === 'unknown' && { cause: outcome.cause }),
        },
      );
    });
  }
}
