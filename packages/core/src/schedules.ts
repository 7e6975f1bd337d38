// Schedules: what users hold of recurring work: put, pause, resume, trigger, backfill, delete, get, list, preview.

import { type DeclaredParts, DeclaredSchedules, type QueuedPlan } from './declared-schedules.js';
import { CarillonError } from './errors.js';
import { checkIdentity, isOf, queueName, scheduleRecord } from './message/names.js';
import { validate } from './message/schema.js';
import type { LedgerRecord } from './ports/ledger.js';
import { parseRule } from './rule/rule.js';
import type { RuleSpec } from './rule/spec.js';
import type {
  EditOptions,
  PutAnswer,
  PutArguments,
  RequestOptions,
  SchedulePage,
  ScheduleQuery,
} from './schedule-calls.js';
import { ask, pause, putPlan, remove, resume } from './schedule/edit.js';
import { ScheduleRecords, type ScheduleRecordsParts, unknown } from './schedule-records.js';
import { checkScheduleId, OVERLAPS, resolvePlan } from './schedule/plan.js';
import { rememberedRules } from './schedule/rules.js';
import { readSchedule, type Schedule, type ScheduleState } from './schedule/schedule.js';
import { type ScheduleView, upcoming, viewSchedule } from './schedule/view.js';
import { atLeastOne, dateMs, oneOf, onlyKnown, type ResolvedTask } from './task/options.js';
import type { ScheduleSpec } from './task/recurring.js';
import { type TaskRef, taskOf } from './task/task.js';

/** What schedules work with. */
export interface SchedulesParts extends Omit<ScheduleRecordsParts, 'ruleOf'> {
  readonly maxBytes: number;
  readonly optionsOf: (task: ReturnType<typeof taskOf>) => ResolvedTask;
  readonly declared: Omit<DeclaredParts, 'schedules'>;
}

const MOST_PREVIEWED = 1_000;
const LISTED: readonly ScheduleState[] = ['active', 'paused', 'ended', 'dead'];

/** The schedules of one namespace. */
export class Schedules {
  /** Those that this process declares in code. */
  readonly declared: DeclaredSchedules;
  readonly #parts: SchedulesParts;
  readonly #records: ScheduleRecords;
  readonly #ruleOf = rememberedRules();

  constructor(parts: SchedulesParts) {
    this.#parts = parts;
    this.#records = new ScheduleRecords({ ...parts, ruleOf: (schedule) => this.#readable(schedule) });
    this.declared = new DeclaredSchedules({ ...parts.declared, schedules: this });
  }

  /** Creates the schedule, or changes it into this one; if it is this one already, nothing happens. */
  async put<T extends TaskRef>(
    id: string,
    task: T,
    spec: ScheduleSpec,
    ...[payload, options = {}]: PutArguments<T>
  ): Promise<PutAnswer> {
    onlyKnown(options, ['edition'], 'put');
    return this.putPlan(id, await this.resolve(id, task, spec, payload), options);
  }

  /** Checks what `put` would be given, and touches nothing. */
  async resolve(
    id: string,
    task: TaskRef,
    spec: ScheduleSpec,
    payload: unknown,
    declaredBy?: string,
  ): Promise<QueuedPlan> {
    const { optionsOf, maxBytes, namespace } = this.#parts;
    const resolved = optionsOf(taskOf(task));
    const { schema } = resolved;
    if (schema !== undefined) await validate(schema, payload, `the payload of schedule ${id}`);
    const plan = resolvePlan(checkScheduleId(id), resolved, spec, payload, { maxBytes, declaredBy });
    return { ...plan, queue: queueName(namespace, resolved.queue) };
  }

  /** Puts a plan that was checked before. */
  async putPlan(id: string, plan: QueuedPlan, { edition }: EditOptions = {}): Promise<PutAnswer> {
    const { engine, namespace } = this.#parts;
    const record = scheduleRecord(namespace, checkScheduleId(id));
    const put = await this.#records.edit(id, (standing, found) =>
      putPlan(standing, plan, this.#ruleOf, {
        id,
        now: engine.time.now(),
        queue: plan.queue,
        record,
        generation: found?.generation ?? 0,
        edition,
      }),
    );
    return { outcome: put.outcome, edition: put.schedule.body.edition };
  }

  /** Pauses a schedule, for every engine; what runs goes on. Pausing it again is harmless. */
  async pause(
    id: string,
    options: EditOptions & { readonly note?: string } = {},
  ): Promise<'paused' | 'unchanged' | 'ended'> {
    onlyKnown(options, ['edition', 'note'], 'pause');
    const paused = await this.#records.change(id, options, (standing, now) => pause(standing, options.note, now));
    return paused.outcome;
  }

  /** Resumes a schedule. Slots that passed meanwhile are missed, as `paused`. */
  async resume(
    id: string,
    options: EditOptions & { readonly note?: string } = {},
  ): Promise<'resumed' | 'unchanged' | 'ended'> {
    onlyKnown(options, ['edition', 'note'], 'resume');
    const resumed = await this.#records.change(id, options, (standing, now) =>
      resume(standing, options.note, this.#ruleOf(standing), id, now),
    );
    return resumed.outcome;
  }

  /** Asks for one occurrence now, also of a schedule that is paused or has ended; `at` is the slot that it stands for. */
  async trigger(id: string, options: RequestOptions & { readonly at?: Date } = {}): Promise<'requested' | 'unchanged'> {
    onlyKnown(options, ['id', 'overlap', 'at'], 'trigger');
    const { overlap, at } = options;
    const asIf = at && dateMs(at, `at of a trigger of ${id}`);
    const request = this.#requestId(options);
    const asked = await this.#records.change(id, {}, (standing, now) =>
      ask(standing, { ask: 'trigger', id: request, at: asIf ?? now, ...(overlap && { overlap }) }, now),
    );
    return asked.outcome;
  }

  /** Runs the slots of a range again, both ends included and at most 1,000 of them, whether they ran or not. */
  async backfill(
    id: string,
    range: { readonly from: Date; readonly to: Date },
    options: RequestOptions = {},
  ): Promise<'requested' | 'unchanged'> {
    onlyKnown(range, ['from', 'to'], 'The range of a backfill');
    onlyKnown(options, ['id', 'overlap'], 'backfill');
    const from = dateMs(range.from, `from of a backfill of ${id}`);
    const to = dateMs(range.to, `to of a backfill of ${id}`);
    if (from > to) {
      throw new CarillonError('E_OPTIONS', 'A backfill ends before it begins.', {
        next: 'Give from and to as Dates, in order.',
      });
    }
    const { overlap } = options;
    const request = this.#requestId(options);
    const asked = await this.#records.change(id, {}, (standing, now) => {
      if (
        upcoming(this.#ruleOf(standing), from - 1, MOST_PREVIEWED + 1).filter((slot) => slot.getTime() <= to).length >
        MOST_PREVIEWED
      ) {
        throw new CarillonError('E_OPTIONS', `The backfill of ${id} has more than ${MOST_PREVIEWED} slots.`, {
          next: 'Ask for a part of it at a time.',
        });
      }
      return ask(standing, { ask: 'backfill', id: request, from, to, ...(overlap && { overlap }) }, now);
    });
    return asked.outcome;
  }

  /** Deletes a schedule; occurrences that were placed go on. */
  async delete(id: string, options: EditOptions = {}): Promise<'deleted' | 'unknown'> {
    onlyKnown(options, ['edition'], 'delete');
    try {
      await this.#records.change(id, options, (standing, now) => remove(standing, this.#readable(standing), now));
      return 'deleted';
    } catch (error) {
      if (CarillonError.is(error) && error.code === 'E_SCHEDULE_UNKNOWN') return 'unknown';
      throw error;
    }
  }

  /** A schedule as it is now; undefined if there is none. */
  async get(id: string): Promise<ScheduleView | undefined> {
    await this.#parts.open();
    const found = await this.#records.find(id);
    if (found === undefined || found.state === 'deleted') return undefined;
    return (await this.#views([found]))[0];
  }

  /** One page of schedules. */
  async list(query: ScheduleQuery = {}): Promise<SchedulePage> {
    onlyKnown(query, ['idPrefix', 'states', 'limit', 'cursor'], 'A query of schedules');
    for (const state of query.states ?? []) oneOf(state, [...LISTED, 'deleted'], 'states of a query');
    await this.#parts.open();
    const { ledger, namespace } = this.#parts;
    const { states = LISTED, limit = 100, cursor } = query;
    const idPrefix = scheduleRecord(namespace, query.idPrefix ?? '').id;
    const page = await ledger.list({
      kind: 'schedule',
      states,
      limit: atLeastOne(limit, 'limit of a query'),
      ...(idPrefix !== '' && { idPrefix }),
      ...(cursor !== undefined && { cursor }),
    });
    const views = await this.#views(page.records.filter((record) => isOf(namespace, record.key)));
    const schedules = views.filter((view) => view !== undefined);
    return { schedules, ...(page.cursor !== undefined && { cursor: page.cursor }) };
  }

  /** Every schedule that a query finds, page by page. */
  async *all(query: Omit<ScheduleQuery, 'cursor'> = {}): AsyncGenerator<ScheduleView> {
    let cursor: string | undefined;
    do {
      const page = await this.list({ ...query, ...(cursor !== undefined && { cursor }) });
      yield* page.schedules;
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  /** The next slots of a rule, or of a schedule that stands, at most 1,000. */
  async preview(of: string | RuleSpec, count: number = 10, after?: Date): Promise<readonly Date[]> {
    await this.#parts.open();
    const most = Math.min(atLeastOne(count, 'count of a preview'), MOST_PREVIEWED);
    const from = after ? dateMs(after, 'after of a preview') : this.#parts.engine.time.now();
    if (typeof of !== 'string') return upcoming(parseRule(of, 'a preview'), from, most);
    const found = await this.#records.find(of);
    if (found === undefined) throw unknown(of);
    return upcoming(this.#ruleOf(readSchedule(found)), from, most);
  }

  /** Those of the ids under which the ledger has no schedule that can be read. */
  missing(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#records.missing(ids);
  }

  #requestId({ id, overlap }: RequestOptions): string {
    oneOf(overlap, OVERLAPS, 'overlap');
    return id === undefined ? this.#parts.ids.nonce() : checkIdentity(id, 'id');
  }

  /** Views of records; undefined where only a text is left: an event has told of it. */
  async #views(records: readonly LedgerRecord[]): Promise<readonly (ScheduleView | undefined)[]> {
    const { namespace, engine } = this.#parts;
    const shown = await this.#records.shown(records);
    const now = engine.time.now();
    return records.map((record, index) => {
      const schedule = shown[index];
      return schedule && viewSchedule(namespace, schedule, record, this.#readable(schedule), now);
    });
  }

  #readable(schedule: Schedule): ReturnType<typeof parseRule> | undefined {
    try {
      return this.#ruleOf(schedule);
    } catch {
      return undefined; // its zone is unknown here
    }
  }
}
