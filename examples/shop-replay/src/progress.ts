// Progress: shows how far a replay has come: a bar on a terminal, plain lines elsewhere.

import type { WriteStream } from 'node:tty';

/** What a replay is measured by. */
interface Course {
  readonly openedAt: number;
  readonly days: number;
  readonly dayMs: number;
  readonly firstDate: string;
  readonly purchases: number;
}

/** Something that shows progress. */
export interface Progress {
  begin(course: Course): void;
  /** Purchases that the shop has served, mails that went out. */
  update(count: { readonly served?: number; readonly sent?: number }): void;
  /** Something worth a line of its own. */
  note(text: string): void;
  /** Every day has passed. */
  end(): void;
}

const BAR = 30;
const DAY_MS = 86_400_000;

/** Shows progress on a stream; a stream that is no terminal gets a line at every tenth of the way. */
export function progressOn(stream: Pick<WriteStream, 'write' | 'isTTY'>, now: () => number = Date.now): Progress {
  let course: Course | undefined;
  let served = 0;
  let sent = 0;
  let tenths = 0;

  const state = ({ openedAt, days, dayMs, firstDate, purchases }: Course): { share: number; text: string } => {
    const day = Math.min(days, Math.max(0, (now() - openedAt) / dayMs));
    const date = new Date(Date.parse(firstDate) + Math.floor(day) * DAY_MS).toISOString().slice(0, 10);
    const count = `${served.toLocaleString('en')} of ${purchases.toLocaleString('en')} purchases`;
    return { share: day / days, text: `${date}  ${count}, ${sent.toLocaleString('en')} mails sent` };
  };
  const show = (): void => {
    if (course === undefined) return;
    const { share, text } = state(course);
    const percent = `${String(Math.floor(share * 100)).padStart(3)} %`;
    if (stream.isTTY) {
      const filled = Math.round(share * BAR);
      stream.write(`\r\x1b[K${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${percent}  ${text}`);
    } else if (Math.floor(share * 10) > tenths) {
      tenths = Math.floor(share * 10);
      stream.write(`${percent}  ${text}\n`);
    }
  };

  return {
    begin(begun) {
      course = begun;
      show();
    },
    update(count) {
      served = count.served ?? served;
      sent = count.sent ?? sent;
      show();
    },
    note(text) {
      stream.write(stream.isTTY ? `\r\x1b[K${text}\n` : `       ${text}\n`);
      show();
    },
    end() {
      show();
      if (course !== undefined && stream.isTTY) stream.write('\n');
      course = undefined;
    },
  };
}
