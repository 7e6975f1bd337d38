// Progress: shows how far a suite has come: a bar on a terminal, plain lines elsewhere.

import type { WriteStream } from 'node:tty';
import { type Pace, paceText } from './pace.js';

/** Something that shows progress. */
export interface Progress {
  /** So many of all seeds are done. */
  update(done: number, pace: Pace): void;
  /** Something worth a line of its own. */
  note(text: string): void;
  /** Takes the bar away. */
  end(): void;
}

const BAR = 30;

/** Shows progress on a stream; a stream that is no terminal gets a line at every tenth of the way. */
export function progressOn(stream: Pick<WriteStream, 'write' | 'isTTY'>, seeds: number): Progress {
  let bar = '';
  let tenths = 0;
  const draw = (text: string): void => {
    if (stream.isTTY) stream.write(`\r\x1b[K${text}`);
  };
  return {
    update(done, pace) {
      const share = done / seeds;
      const filled = Math.round(share * BAR);
      const percent = `${String(Math.floor(share * 100)).padStart(3)} %`;
      const text = `${percent}  ${done.toLocaleString('en')} of ${seeds.toLocaleString('en')} seeds, ${paceText(pace)}`;
      bar = `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${text}`;
      draw(bar);
      if (stream.isTTY || Math.floor(share * 10) === tenths) return;
      tenths = Math.floor(share * 10);
      stream.write(`${text}\n`);
    },
    note(text) {
      draw('');
      stream.write(`${text}\n`);
      draw(bar);
    },
    end() {
      draw('');
      bar = '';
    },
  };
}
