// Errors: what Carillon throws when it is misused or when something below it is broken.
//
// Outcomes that a program must expect (a lost lease, a failed attempt, a refused change) are values, never errors.
// docs/errors.md has one entry per code.

/** Every code that a `CarillonError` can carry; stable across releases, documented in docs/errors.md. */
export type ErrorCode =
  | 'E_OPTIONS'
  | 'E_DURATION'
  | 'E_DUE'
  | 'E_ZONE'
  | 'E_RULE'
  | 'E_PAYLOAD'
  | 'E_PAYLOAD_SIZE'
  | 'E_TASK_UNKNOWN'
  | 'E_TASK_DUPLICATE'
  | 'E_TASK_HANDLER'
  | 'E_ID'
  | 'E_ID_REUSED'
  | 'E_KEY_EXISTS'
  | 'E_SCHEDULE_UNKNOWN'
  | 'E_SCHEDULE_CHANGED'
  | 'E_LEDGER_SHARED'
  | 'E_UNCLEAR'
  | 'E_REFUSED'
  | 'E_TIMEOUT'
  | 'E_STOPPED'
  | 'E_BROKER'
  | 'E_BROKER_SETUP'
  | 'E_BROKER_ACCESS'
  | 'E_STORE_FOLDER'
  | 'E_STORE_FULL'
  | 'E_STORE_VERSION'
  | 'E_STORE_DAMAGED'
  | 'E_STORE_UNFIT'
  | 'E_STORE_UNSYNCED';

const brand = Symbol.for('@carillon/error');

/** The one error class: a stable `code`, what happened, its `cause`, and in `next` what the reader should do. */
export class CarillonError extends Error {
  override readonly name = 'CarillonError';
  readonly code: ErrorCode;
  /** What the engine will do, or what you should do, in one sentence. */
  readonly next: string;
  /** The job id concerned, where there is one: with `E_UNCLEAR`, the id with which the call is safe to repeat. */
  readonly id: string | undefined;

  constructor(code: ErrorCode, message: string, details: { next: string; cause?: unknown; id?: string }) {
    super(`${message} ${details.next} [${code}]`, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.next = details.next;
    this.id = details.id;
    Object.defineProperty(this, brand, { value: true });
  }

  /** Tells a `CarillonError` from anything else, also when two copies of this package are installed. */
  static is(value: unknown): value is CarillonError {
    return typeof value === 'object' && value !== null && brand in value;
  }
}
