// Names: how the identities that users see become keys of records and names of queues.
//
// N1  Parts are joined so that no two pairs of parts give one name: no id or key holds the separator of a namespace, and
//     no task name holds a '/'.
// N2  The partition of a minted id can be read off the id, so a record is found by its id alone; an id of the caller's for a
//     job with a key has an alias.

import { CarillonError } from '../errors.js';
import type { RecordKey } from '../ports/ledger.js';

const NAMESPACE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const LONGEST_KEY = 256;
const PARTITIONS = Array.from({ length: 256 }, (_, number) => number.toString(16).padStart(2, '0'));
const SEPARATOR = '\u001f';
const OCCURRENCE = /@\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z(~.+)?-[0-9a-f]{2}$/;
const MINTED_FOR_KEY = /-[0-9a-f]{2}$/;

/** Throws `E_OPTIONS` unless the namespace is empty or made of letters, digits, dots, dashes and underscores. */
export function checkNamespace(namespace: string): string {
  if (namespace === '' || NAMESPACE.test(namespace)) return namespace;
  throw new CarillonError('E_OPTIONS', `${JSON.stringify(namespace)} can't be a namespace.`, {
    next: 'Use 1 to 63 letters, digits, dots, dashes and underscores, starting with a letter or digit.',
  });
}

/** Throws `E_ID` unless an id or key of the caller's has 1 to 256 characters and no control characters. */
export function checkIdentity(text: string, what: 'id' | 'key'): string {
  // oxlint-disable-next-line no-control-regex
  if (typeof text === 'string' && text.length > 0 && text.length <= LONGEST_KEY && !/[\u0000-\u001f\u007f]/.test(text))
    return text;
  throw new CarillonError('E_ID', `This ${what} is not usable: ${JSON.stringify(text)?.slice(0, 80) ?? 'undefined'}.`, {
    next: `Give a string of 1 to ${String(LONGEST_KEY)} characters without control characters.`,
  });
}

/** Throws `E_ID` for an id of a job that only an occurrence of a schedule may have. */
export function checkOwnId(id: string): string {
  if (!OCCURRENCE.test(checkIdentity(id, 'id'))) return id;
  throw new CarillonError('E_ID', `The id ${id} is that of an occurrence of a schedule.`, {
    next: 'Use another id; to run an occurrence again, trigger or backfill its schedule.',
  });
}

/** The queue as adapters see it. */
export function queueName(namespace: string, queue: string): string {
  return namespace === '' ? queue : `${namespace}/${queue}`;
}

/** The queue as users see it. */
export function queueOf(namespace: string, name: string): string {
  return namespace === '' ? name : name.slice(namespace.length + 1);
}

function scoped(namespace: string, id: string): string {
  return namespace === '' ? id : namespace + SEPARATOR + id;
}

/** Takes the namespace off a record's id. */
export function idOf(namespace: string, key: RecordKey): string {
  return namespace === '' ? key.id : key.id.slice(namespace.length + 1);
}

/** The record of a job; `partition` as given by its key, else read off the id (N2). */
export function jobRecord(namespace: string, id: string, partition: string = partitionOfId(id)): RecordKey {
  return { kind: 'job', id: scoped(namespace, id), partition };
}

/** The record that points from a task's key to its job. */
export function pointerRecord(namespace: string, task: string, key: string): RecordKey {
  const id = scoped(namespace, `${task}/${key}`);
  return { kind: 'key', id, partition: partitionOf(`${task}/${key}`) };
}

/** The start of every pointer's id whose key starts with `prefix`. */
export function pointerPrefix(namespace: string, task: string, prefix: string): string {
  return scoped(namespace, `${task}/${prefix}`);
}

/** The record that keeps the answer of a call that placed no job. */
export function answerRecord(namespace: string, id: string, partition: string): RecordKey {
  return { kind: 'answer', id: scoped(namespace, id), partition };
}

/** The record that tells where the job of a caller's own id is, if its key decides that. */
export function aliasRecord(namespace: string, id: string): RecordKey {
  return { kind: 'alias', id: scoped(namespace, id), partition: partitionOfId(id) };
}

/** Whether a record belongs to this namespace, for lists of the one without a name, which are not narrowed by a prefix. */
export function isOf(namespace: string, key: RecordKey): boolean {
  return namespace !== '' || !key.id.includes(SEPARATOR);
}

/** The record that says that a queue or a task is paused. */
export function pauseRecord(namespace: string, what: 'queue' | 'task', name: string): RecordKey {
  return { kind: 'pause', id: scoped(namespace, `${what}/${name}`), partition: 'pause' };
}

/** The record of a schedule; its occurrences are kept in its partition. */
export function scheduleRecord(namespace: string, id: string): RecordKey {
  return { kind: 'schedule', id: scoped(namespace, id), partition: partitionOf(`schedule/${id}`) };
}

/** The record that tells a schedule that one of its occurrences has ended. */
export function bellRecord(namespace: string, schedule: string): RecordKey {
  return { ...scheduleRecord(namespace, schedule), kind: 'bell' };
}

/** An id for a job with a key: its end says the key's partition, so that the id alone finds the record (N2). */
export function mintedForKey(id: string, partition: string): string {
  return `${id}-${partition}`;
}

function partitionOfId(id: string): string {
  return id[id.length - 3] === '-' && MINTED_FOR_KEY.test(id) ? id.slice(-2) : partitionOf(id);
}

/** One of 256 partitions, as two hex digits (FNV-1a). */
export function partitionOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return PARTITIONS[hash & 255]!;
}
