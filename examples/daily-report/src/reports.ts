// Reports: what is sent every weekday at nine in Berlin.

import { RecurringTask } from '@carillon/decorators';
import type { Occurrence } from '@carillon/core';
import { injectable } from 'inversify';

/** Where reports go; a list where a real one has a mail server. */
@injectable()
export class Mail {
  readonly sent: string[] = [];
}

/** The daily report, with what has come in since the last one. */
@injectable()
export class Reports {
  constructor(private readonly mail: Mail) {}

  @RecurringTask({
    cron: '0 9 * * 1-5',
    timezone: 'Europe/Berlin',
    holidays: ['2027-03-26', '2027-03-29'], // Good Friday, Easter Monday
    catchUp: { mode: 'once', within: '8h' },
  })
  daily({ slot, previous, origin }: Occurrence): { reportedUntil: string } {
    const since = (previous as { reportedUntil: string } | undefined)?.reportedUntil ?? 'the beginning';
    const late = origin === 'catch-up' ? ', late' : '';
    this.mail.sent.push(`Report of ${slot.toISOString().slice(0, 16)}Z, since ${since}${late}`);
    return { reportedUntil: `${slot.toISOString().slice(0, 16)}Z` };
  }
}
