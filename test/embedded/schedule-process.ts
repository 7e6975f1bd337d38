// A process that puts fifty schedules and runs them until it is told to stop, or killed, and says what it does.
// Arguments: folder, startAt, endAt.

import { setTimeout } from 'node:timers/promises';
import { Carillon, defineTask, implement, silentLogger } from '@carillon/core';
import { embedded } from '@carillon/embedded';

const [folder, startAt, endAt] = process.argv.slice(2) as [string, string, string];
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const beat = defineTask<undefined>('beat');
const app = new Carillon({
  backend: embedded(folder),
  logger: silentLogger,
  tasks: [
    implement(beat, async (_payload, { jobId }) => {
      say(`started ${jobId}`);
      await setTimeout(700); // so that who is killed is in the middle of some
    }),
  ],
});
app.on('schedule:ended', ({ schedule }) => say(`ended ${schedule}`));
process.once('SIGTERM', () => void app.stop());

await app.start();
const ids = Array.from({ length: 50 }, (_, index) => `s${index}`);
await Promise.all(ids.map((id) => app.schedules.put(id, beat, { every: '1s', startAt, endAt })));
say('ready');
