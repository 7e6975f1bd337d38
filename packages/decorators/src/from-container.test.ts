import { Carillon, defineTask, silentLogger } from '@carillon/core';
import type { Attempt } from '@carillon/core';
import { memoryStore, seededIds, seededRandom, VirtualClock } from '@carillon/testing';
import { Container, inject, injectable, type Newable } from 'inversify';
import { afterEach, describe, expect, it } from 'vitest';
import { methodTask } from './declared-tasks.js';
import { fromContainer } from './from-container.js';
import { ScheduledTask } from './scheduled-task.js';

const SECOND = 1000;
const running: Carillon[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((carillon) => carillon.stop()));
});

async function started(container: Container, classes: Parameters<typeof fromContainer>[1]) {
  const clock = new VirtualClock();
  const carillon = new Carillon({
    backend: memoryStore({ clock }),
    tasks: fromContainer(container, classes),
    logger: silentLogger,
    random: seededRandom(1),
    ids: seededIds(),
    clock,
  });
  running.push(carillon);
  await carillon.start();
  return { carillon, clock };
}

@injectable('Singleton')
class Orders {
  readonly closed: string[] = [];
  readonly paid = new Set<string>();
}

describe('fromContainer', () => {
  it('runs a decorated class, its services injected by type', async () => {
    @ScheduledTask({ in: '30m' })
    class CloseUnpaidOrder {
      constructor(private readonly orders: Orders) {}
      handle({ orderId }: { orderId: string }, attempt: Attempt): string {
        this.orders.closed.push(orderId);
        return attempt.idempotencyKey;
      }
    }
    const container = new Container();
    container.bind(Orders).toSelf();
    const { carillon, clock } = await started(container, [CloseUnpaidOrder]);
    const { id } = await carillon.schedule(CloseUnpaidOrder, { orderId: 'o-42' });
    await clock.advance(30 * 60 * SECOND - 1);
    expect(container.get(Orders).closed).toEqual([]);
    await clock.advance(1);
    expect(container.get(Orders).closed).toEqual(['o-42']);
    const job = await carillon.get(CloseUnpaidOrder, { id });
    expect(job).toMatchObject({ state: 'done', task: 'close-unpaid-order' });
    expect(job?.result).toMatch(/./);
  });

  it('runs decorated methods of a class', async () => {
    const ran: string[] = [];
    class Reports {
      constructor(@inject(Orders) private readonly orders: Orders) {}
      @ScheduledTask({ in: '1m' })
      daily({ day }: { day: string }): void {
        ran.push(`daily ${day} ${this.orders.closed.length}`);
      }
      @ScheduledTask({ name: 'weekly' })
      sendWeekly(): string {
        ran.push('weekly');
        return 'sent';
      }
    }
    const container = new Container();
    container.bind(Orders).toSelf();
    const { carillon, clock } = await started(container, [Reports]);
    await carillon.schedule(methodTask(Reports, 'daily'), { day: 'Monday' });
    const { id } = await carillon.schedule(methodTask(Reports, 'sendWeekly'));
    await clock.advance(60 * SECOND);
    expect(ran).toEqual(['weekly', 'daily Monday 0']);
    expect((await carillon.get(methodTask(Reports, 'sendWeekly'), { id }))?.result).toBe('sent');
  });

  it('runs a class for a token that a producer schedules by', async () => {
    const token = defineTask<{ orderId: string }>('close-unpaid-order', { in: '5s' });
    @ScheduledTask({ task: token, timeout: '1m' })
    class Close {
      constructor(private readonly orders: Orders) {}
      handle({ orderId }: { orderId: string }): void {
        this.orders.closed.push(orderId);
      }
    }
    const container = new Container();
    container.bind(Orders).toSelf();
    const { carillon, clock } = await started(container, [Close]);
    await carillon.schedule(token, { orderId: 'o-1' });
    await carillon.schedule(Close, { orderId: 'o-2' });
    await clock.advance(5 * SECOND);
    expect(container.get(Orders).closed.toSorted()).toEqual(['o-1', 'o-2']);
  });

  it('gives `unless` the services of the container', async () => {
    let handled = 0;
    @ScheduledTask({
      in: '30m',
      unless: ({ orderId }: { orderId: string }, services) => services.get(Orders).paid.has(orderId),
    })
    class CloseUnpaidOrder {
      handle(_order: { orderId: string }): void {
        handled += 1;
      }
    }
    const container = new Container();
    container.bind(Orders).toSelf();
    const { carillon, clock } = await started(container, [CloseUnpaidOrder]);
    const paid = await carillon.schedule(CloseUnpaidOrder, { orderId: 'o-1' });
    await carillon.schedule(CloseUnpaidOrder, { orderId: 'o-2' });
    container.get(Orders).paid.add('o-1');
    await clock.advance(30 * 60 * SECOND);
    expect(handled).toBe(1);
    expect(await carillon.get(CloseUnpaidOrder, { id: paid.id })).toMatchObject({ state: 'skipped', reason: 'unless' });
  });

  it('waits for services that are made asynchronously', async () => {
    @ScheduledTask()
    class Mail {
      constructor(@inject('address') private readonly address: string) {}
      handle(): string {
        return this.address;
      }
    }
    const container = new Container();
    container.bind('address').toDynamicValue(async () => 'a@example.com');
    const { carillon, clock } = await started(container, [Mail]);
    const { id } = await carillon.schedule(Mail);
    await clock.advance(0);
    expect((await carillon.get(Mail, { id }))?.result).toBe('a@example.com');
  });
});

describe('the scope of a handler', () => {
  /** Runs two jobs of three attempts each; tells which handlers and sessions the attempts saw. */
  async function attempts(bind: (container: Container, handler: Newable) => void) {
    const seen: { handler: unknown; session: unknown; audits: unknown }[] = [];
    class Session {}
    @injectable()
    class Audit {
      constructor(readonly session: Session) {}
    }
    @injectable()
    @ScheduledTask({ retry: { backoff: { type: 'fixed', delay: '1s' } } })
    class Import {
      constructor(
        private readonly session: Session,
        private readonly audit: Audit,
      ) {}
      handle(_file: { name: string }, attempt: Attempt): void {
        seen.push({ handler: this, session: this.session, audits: this.audit.session });
        if (attempt.number < 3) throw new Error('again');
      }
    }
    const container = new Container();
    container.bind(Audit).toSelf();
    container.bind(Session).toSelf().inRequestScope();
    bind(container, Import);
    const { carillon, clock } = await started(container, [Import]);
    await carillon.schedule(Import, { name: 'a' });
    await carillon.schedule(Import, { name: 'b' });
    await clock.advance(10 * SECOND);
    expect(seen).toHaveLength(6);
    return {
      handlers: new Set(seen.map(({ handler }) => handler)).size,
      sessions: new Set(seen.map(({ session }) => session)).size,
      sharedWithin: seen.every(({ session, audits }) => session === audits),
    };
  }

  it('is transient by default: a handler and a request for each attempt', async () => {
    expect(await attempts(() => {})).toEqual({ handlers: 6, sessions: 6, sharedWithin: true });
  });

  it('is that of an existing binding: one singleton for all', async () => {
    const bound = attempts((container, handler) => void container.bind(handler).toSelf().inSingletonScope());
    expect(await bound).toEqual({ handlers: 1, sessions: 1, sharedWithin: true });
  });

  it('is that of an existing binding: request scope', async () => {
    const bound = attempts((container, handler) => void container.bind(handler).toSelf().inRequestScope());
    expect(await bound).toEqual({ handlers: 6, sessions: 6, sharedWithin: true });
  });

  it('is what @injectable says, else what the container says', () => {
    @ScheduledTask()
    @injectable('Singleton')
    class Import {
      handle(): void {}
    }
    @injectable()
    @ScheduledTask()
    class Export {
      handle(): void {}
    }
    const container = new Container();
    fromContainer(container, [Import, Export]);
    expect(container.get(Import)).toBe(container.get(Import));
    expect(container.get(Export)).not.toBe(container.get(Export));
    const singletons = new Container({ defaultScope: 'Singleton' });
    fromContainer(singletons, [Export]);
    expect(singletons.get(Export)).toBe(singletons.get(Export));
  });

  it('is left alone where a parent container binds the class', () => {
    @ScheduledTask()
    class Import {
      handle(): void {}
    }
    const parent = new Container();
    parent.bind(Import).toSelf().inSingletonScope();
    const child = new Container({ parent });
    fromContainer(child, [Import]);
    expect(child.isCurrentBound(Import)).toBe(false);
    expect(child.get(Import)).toBe(parent.get(Import));
  });
});

describe('an attempt whose handler cannot be made', () => {
  it('fails as a handler that throws does, and is retried', async () => {
    let makes = 0;
    @ScheduledTask({ retry: { backoff: { type: 'fixed', delay: '1s' } } })
    class Flaky {
      constructor() {
        makes += 1;
        if (makes === 1) throw new Error('no connection');
      }
      handle(): string {
        return 'ran';
      }
    }
    const { carillon, clock } = await started(new Container(), [Flaky]);
    const { id } = await carillon.schedule(Flaky);
    await clock.advance(5 * SECOND);
    const job = await carillon.get(Flaky, { id });
    expect(job).toMatchObject({ state: 'done', failures: 1, result: 'ran' });
    expect(job?.error?.message).toBe('no connection');
  });

  it('fails with what to write if the container gives something else', async () => {
    @ScheduledTask({ attempts: 1 })
    class Mail {
      handle(): void {}
    }
    const container = new Container();
    container.bind(Mail).toConstantValue({} as Mail);
    const { carillon, clock } = await started(container, [Mail]);
    const { id } = await carillon.schedule(Mail);
    await clock.advance(0);
    const job = await carillon.get(Mail, { id });
    expect(job).toMatchObject({ state: 'dead' });
    expect(job?.error?.message).toContain("The container's Mail has no method handle. Bind Mail to itself");
  });
});
