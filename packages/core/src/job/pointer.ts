// Pointer: the record that leads from a task's key to the job under it.
//
// R1  It changes only together with its job, so it points to the open job under the key whenever there is one.
// R2  It outlives the job's settling as long as the job is remembered, so that a key still answers `settled`.

import { idOf, pointerRecord } from '../message/names.js';
import type { Expectation, RecordContent, Write } from '../ports/ledger.js';
import { isSettled, type Job } from './job.js';

const NONE: readonly Write[] = [];

/** The write that points a job's key to it; nothing for a job that has no key or has lost it to a replacement. */
export function pointTo(namespace: string, job: Job, expect: Expectation): readonly Write[] {
  const { key, unkeyed } = job.body;
  if (key === undefined || unkeyed === true) return NONE;
  const content: RecordContent = {
    generation: job.generation,
    queue: job.queue,
    task: job.task,
    state: isSettled(job) ? 'settled' : 'open',
    dueAt: job.dueAt,
    wakeAt: undefined,
    expiresAt: job.expiresAt,
    durableGrant: false,
    body: idOf(namespace, job.record),
    outbox: [],
  };
  return [{ do: 'put', key: pointerRecord(namespace, job.task, key), expect, content }];
}

/** What must change with a job that has just settled: its pointer learns how long to live (R2). */
export function withPointer(namespace: string, job: Job): readonly Write[] {
  return isSettled(job) ? pointTo(namespace, job, { any: true }) : NONE;
}
