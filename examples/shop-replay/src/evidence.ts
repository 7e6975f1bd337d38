// Evidence: what is written down while the replay runs, and all that the judge goes by.

/** The two kinds of mail that a purchase leads to. */
export type MailKind = 'review' | 'win-back';

/** How many days after the purchase each mail is due. */
export const DAYS: Readonly<Record<MailKind, number>> = { review: 7, 'win-back': 60 };

/** The id under which the shop schedules a mail. */
export function jobId(kind: MailKind, row: number): string {
  return `${kind}-${String(row)}`;
}

/** The shop's note of one `schedule` call. Instants are milliseconds since 1970. */
export interface Answer {
  readonly kind: MailKind;
  readonly row: number;
  readonly id: string;
  readonly delayMs: number;
  /** Just before the first try: no clock can have shown less when the call took effect. */
  readonly calledAt: number;
  readonly answeredAt: number;
  /** The errors of the tries that were not answered. */
  readonly troubles: readonly string[];
  readonly outcome: string;
  readonly replaced?: { readonly id: string; readonly attempts: number };
}

/** What a worker asks the gateway to send. */
export interface MailRequest {
  readonly kind: MailKind;
  readonly row: number;
  readonly customer: string;
  readonly worker: string;
  /** Which attempt of its job asks, from 1. */
  readonly attempt: number;
}

/** The gateway's note of one request that it accepted. */
export interface Acceptance extends MailRequest {
  readonly at: number;
  readonly idempotencyKey: string;
  /** A mail with this idempotency key had been accepted before, so no second one went out. */
  readonly absorbed: boolean;
}

/** A worker that the demo killed, and when. */
export interface Kill {
  readonly worker: string;
  readonly at: number;
}

/** A worker that was told that its lease on a job was lost. */
export interface LostLease {
  readonly worker: string;
  readonly jobId: string;
}
