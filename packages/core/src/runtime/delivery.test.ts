import { defineTask, implement, type JobView } from '@carillon/core';
import { describe, expect, it } from 'vitest';
import {
  gate,
  HOUR,
  MINUTE,
  onBothBackends,
  type Process,
  SECOND,
  type Stage,
} from './on-both-backends.fixture.test.js';

const tasks = {
  retry: defineTask<null, string>('retry', { in: '1s' }),
  'never-again': defineTask<null, string>('never-again', { in: '1s', attempts: 'never-again' }),
};

/** What the failure table of the promises says: starts, effects and the state at the end, per kind of task. */
interface Row {
  readonly fault: string;
  /** Plays the fault on the first delivery; the second process is there to take over. */
  readonly play: (stage: Stage, first: Process, handler: Handler) => Promise<void>;
  readonly retry: Outcome;
  readonly 'never-again': Outcome;
}
type Outcome = readonly [starts: number, effects: number, state: JobView['state']];

/** A handler that can be held before and after its effect. */
class Handler {
  starts = 0;
  effects = 0;
  readonly begun = gate();
  readonly effected = gate();
  beforeEffect: Promise<void> = Promise.resolve();
  afterEffect: Promise<void> = Promise.resolve();

  async handle(): Promise<string> {
    this.starts += 1;
    this.begun.open();
    await this.beforeEffect;
    this.effects += 1;
    this.effected.open();
    await this.afterEffect;
    return 'ok';
  }
}

const forEver = (): Promise<void> => new Promise(() => {});

const rows: Row[] = [
  {
    fault: 'none',
    play: async ({ clock }) => clock.advance(SECOND),
    retry: [1, 1, 'done'],
    'never-again': [1, 1, 'done'],
  },
  {
    fault: 'a crash before the claim',
    async play({ clock }, first) {
      first.kill();
      await clock.advance(SECOND);
    },
    retry: [1, 1, 'done'],
    'never-again': [1, 1, 'done'],
  },
  {
    fault: 'the claim applied, its answer lost and asked for again',
    async play({ clock, fused }, first) {
      if (!fused) first.ledger.fail('acquire', { when: 'after', times: 2 });
      await clock.advance(10 * SECOND);
    },
    retry: [1, 1, 'done'],
    'never-again': [1, 1, 'done'],
  },
  {
    fault: 'a crash between the claim and the handler',
    async play({ clock, fused }, first) {
      const when = { when: 'after' } as const;
      const hold = fused ? first.transport.hold('receive', when) : first.ledger.hold('acquire', when);
      await first.carillon.pause({ queue: 'nobody' }); // has every receive asked anew, so that the gate stands before it
      await clock.advance(SECOND);
      await hold.reached;
      first.kill();
    },
    retry: [1, 1, 'done'],
    'never-again': [0, 0, 'indeterminate'],
  },
  {
    fault: 'a crash in the handler, before its effect',
    async play({ clock }, first, handler) {
      handler.beforeEffect = forEver();
      await clock.advance(SECOND);
      await handler.begun.opened;
      first.kill();
      handler.beforeEffect = Promise.resolve();
    },
    retry: [2, 1, 'done'],
    'never-again': [1, 0, 'indeterminate'],
  },
  {
    fault: 'a crash after the effect, before its record',
    async play({ clock }, first, handler) {
      handler.afterEffect = forEver();
      await clock.advance(SECOND);
      await handler.effected.opened;
      first.kill();
      handler.afterEffect = Promise.resolve();
    },
    retry: [2, 2, 'done'],
    'never-again': [1, 1, 'indeterminate'],
  },
  {
    fault: 'a crash after the record, before its answer',
    async play({ clock }, first) {
      const hold = first.ledger.hold('commit', { when: 'after' });
      await clock.advance(SECOND);
      await hold.reached;
      first.kill();
    },
    retry: [1, 1, 'done'],
    'never-again': [1, 1, 'done'],
  },
  {
    fault: 'the record’s answer lost, and the commit repeated',
    async play({ clock }, first) {
      first.ledger.fail('commit', { when: 'after', times: 3 });
      await clock.advance(10 * SECOND);
    },
    retry: [1, 1, 'done'],
    'never-again': [1, 1, 'done'],
  },
  {
    fault: 'the ack lost',
    async play({ clock }, first) {
      first.transport.fail('ack', { times: 2 });
      await clock.advance(MINUTE);
    },
    retry: [1, 1, 'done'],
    'never-again': [1, 1, 'done'],
  },
  {
    fault: 'a pause beyond the lease, a second copy, and a zombie that writes later',
    async play({ clock }, first, handler) {
      const pause = gate();
      handler.beforeEffect = pause.opened;
      await clock.advance(SECOND);
      await handler.begun.opened;
      handler.beforeEffect = Promise.resolve();
      first.deafen();
      first.ledger.fail('renew', { times: 100 });
      await clock.advance(3 * MINUTE);
      pause.open();
    },
    retry: [2, 2, 'done'],
    'never-again': [1, 1, 'indeterminate'],
  },
];

onBothBackends('the failure table', (stage) => {
  describe.each(['retry', 'never-again'] as const)('%s', (kind) => {
    it.each(rows)('$fault (I2, I6)', async (row) => {
      const played = stage();
      const handler = new Handler();
      const definition = implement(tasks[kind], () => handler.handle());
      const first = await played.start([definition]);
      const { id } = await first.carillon.schedule(tasks[kind], null);
      await played.clock.advance(0); // its message is on its way
      await row.play(played, first, handler);
      const second = await played.start([definition]);
      await played.clock.advance(HOUR);
      const job = await second.carillon.get(tasks[kind], { id });
      expect([handler.starts, handler.effects, job?.state]).toEqual(row[kind]);
      const completions = first.heard('job:completed').length + second.heard('job:completed').length;
      expect(completions).toBeLessThanOrEqual(1);
    });
  });
});
