// What a system must offer to be measured: the one shape that ours and every peer are driven through.

/** What a job carries: as JSON 100 bytes, so every system stores the same. */
export interface Payload {
  /** When to start the job, in epoch milliseconds: the due time to schedule it for. A past time means at once. */
  readonly dueAt: number;
  readonly text: string;
}

/** How to run jobs. */
export interface WorkOptions {
  /** How many handlers may run at once. */
  readonly concurrency: number;
  /** The handler: call it with each job's payload when the job starts. It does nothing but count. */
  readonly started: (payload: Payload) => void;
  /** Call it when a job's completion is recorded, as firmly as the system records completions. */
  readonly completed: () => void;
}

/** Bytes that pending jobs occupy outside of this process. */
interface Footprint {
  /** RAM of the server: 0 without one, `null` if the server does not tell. */
  readonly serverRamBytes: number | null;
  readonly diskBytes: number;
}

/** A system under measurement, opened on an empty place. */
export interface System {
  /** Schedules one job; resolves when the system says that it has it. */
  schedule(payload: Payload): Promise<void>;
  /** Schedules many in the system's fastest way; only prepares a measurement. */
  scheduleMany(payloads: readonly Payload[]): Promise<void>;
  /** Starts working; resolves when it is ready to run jobs. Called once. */
  work(options: WorkOptions): Promise<void>;
  /** What pending jobs occupy now. */
  footprint(): Promise<Footprint>;
  /** Stops working and closes everything. */
  close(): Promise<void>;
}

/** Which server a system needs. */
export type Needs = 'redis' | 'postgres' | 'nothing';

/** Where a system may put its data: all of it is empty. */
export interface Place {
  readonly folder: string;
  readonly redis?: { readonly port: number; readonly folder: string };
  /** A connection string. */
  readonly postgres?: string;
}

/** A system before it is opened. */
export interface SystemEntry {
  readonly needs: Needs;
  open(place: Place): Promise<System>;
}

/** Length of a payload as JSON, in bytes. */
export const PAYLOAD_BYTES = 100;

// Text that does not compress, as a server may try.
const filler = 'q7ZkV2mXc0RbT9uLhW4sJ1fYgE8oN5dPiA3rKxGvQeUyMzDwB6tHnSjCaOlFpI7Z1kVm4Xc9RbT2uLhW8sJ5fYgE0oN3dPi6AwBt';

/** The payload of a job due at `dueAt`. */
export function payloadDueAt(dueAt: number): Payload {
  const bare = JSON.stringify({ dueAt, text: '' }).length;
  return { dueAt, text: filler.slice(bare) };
}
