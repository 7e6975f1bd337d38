import { Carillon, CarillonError, silentLogger } from '@carillon/core';
import { memoryStore } from '@carillon/testing';
import { Container, inject, injectable, LazyServiceIdentifier, named, optional, tagged, unmanaged } from 'inversify';
import { describe, expect, it } from 'vitest';
import { injectionsOf } from './constructor-metadata.js';
import type { HandlerClass } from './declared-tasks.js';
import { fromContainer } from './from-container.js';
import { ScheduledTask } from './scheduled-task.js';

let constructed = 0;

class Orders {
  constructor() {
    constructed += 1;
  }
}

interface Mailer {
  send(): void;
}

/** What making a Carillon of these classes throws. */
function refusal(container: Container, ...classes: HandlerClass[]): CarillonError {
  constructed = 0;
  try {
    const tasks = fromContainer(container, classes);
    return new Carillon({ backend: memoryStore(), tasks, logger: silentLogger }) as never;
  } catch (error) {
    if (CarillonError.is(error)) return error;
    throw error;
  } finally {
    expect(constructed).toBe(0);
  }
}

const accepted = (container: Container, ...classes: HandlerClass[]): void => {
  expect(refusal(container, ...classes)).toBeInstanceOf(Carillon);
};

describe('a Carillon is not made', () => {
  it('if a class has no task', () => {
    class Plain {}
    @ScheduledTask()
    class Base {
      handle(): void {}
    }
    class Sub extends Base {}
    const error = refusal(new Container(), Base, Plain);
    expect(error.code).toBe('E_TASK_UNKNOWN');
    expect(error.message).toContain(
      'The class Plain has no task. Decorate it, or a method of it, with @ScheduledTask()',
    );
    expect(refusal(new Container(), Sub).message).toContain('a task of its base class is not inherited');
  });

  it('if a class is undefined, as in a circle of imports', () => {
    const error = refusal(new Container(), undefined as never);
    expect(error.code).toBe('E_OPTIONS');
    expect(error.message).toContain('The class at index 0 of fromContainer() is undefined.');
  });

  it('if two classes have one name', () => {
    @ScheduledTask({ name: 'mail' })
    class A {
      handle(): void {}
    }
    @ScheduledTask({ name: 'mail' })
    class B {
      handle(): void {}
    }
    expect(refusal(new Container(), A, B).code).toBe('E_TASK_DUPLICATE');
  });

  it('if options are bad', () => {
    @ScheduledTask({ attempts: 0 })
    class A {
      handle(): void {}
    }
    class B {
      @ScheduledTask({ timeout: 'soon' as never })
      run(): void {}
    }
    expect(refusal(new Container(), A)).toMatchObject({ code: 'E_OPTIONS' });
    expect(refusal(new Container(), A).message).toContain('attempts of task a');
    expect(refusal(new Container(), B)).toMatchObject({ code: 'E_DURATION' });
  });
});

describe('a missing binding is named, with what to write', () => {
  it('of a class', () => {
    @ScheduledTask()
    class Close {
      constructor(
        readonly clock: Clock,
        readonly orders: Orders,
      ) {}
      handle(): void {}
    }
    const container = new Container();
    container.bind(Clock).toSelf();
    const error = refusal(container, Close);
    expect(error.code).toBe('E_TASK_HANDLER');
    expect(error.message).toBe(
      "The container can't make Close: parameter 1 of Close asks for Orders, which is not bound. " +
        'Write container.bind(Orders).toSelf() before the Carillon is made. [E_TASK_HANDLER]',
    );
    expect((error.cause as Error).message).toContain('No bindings found for service: "Orders"');
    container.bind(Orders).toSelf();
    accepted(container, Close);
  });

  it('of a method task', () => {
    @injectable()
    class Reports {
      constructor(readonly orders: Orders) {}
      @ScheduledTask()
      daily(): void {}
    }
    expect(refusal(new Container(), Reports).message).toContain('parameter 0 of Reports asks for Orders');
  });

  it('of symbols, strings, names and tags', () => {
    const MAILER = Symbol('mailer');
    @ScheduledTask()
    class A {
      constructor(@inject(MAILER) readonly mailer: Mailer) {}
      handle(): void {}
    }
    @ScheduledTask()
    class B {
      @inject('mailer')
      declare readonly mailer: Mailer;
      handle(): void {}
    }
    @ScheduledTask()
    class C {
      constructor(@inject('mailer') @named('fast') readonly mailer: Mailer) {}
      handle(): void {}
    }
    @ScheduledTask()
    class D {
      constructor(@inject('mailer') @tagged('speed', 9) readonly mailer: Mailer) {}
      handle(): void {}
    }
    const container = new Container();
    expect(refusal(container, A).next).toContain('Write container.bind(Symbol(mailer)).to(…) before');
    expect(refusal(container, B).message).toContain("mailer of B asks for 'mailer', which is not bound");
    container.bind('mailer').toConstantValue(1).whenNamed('slow');
    expect(refusal(container, C).next).toContain("Write container.bind('mailer').to(…).whenNamed('fast')");
    expect(refusal(container, D).next).toContain("Write container.bind('mailer').to(…).whenTagged('speed', 9)");
    container.bind('mailer').toConstantValue(2).whenNamed('fast');
    container.bind('mailer').toConstantValue(3).whenTagged('speed', 9);
    accepted(container, C, D);
  });

  it('below a service that is bound, however it was asked for', () => {
    @injectable()
    class Ledger {
      constructor(readonly orders: Orders) {}
    }
    @ScheduledTask()
    class Close {
      constructor(@inject(new LazyServiceIdentifier(() => Ledger)) readonly ledger: object) {}
      handle(): void {}
    }
    const container = new Container();
    container.bind(Ledger).toSelf();
    const error = refusal(container, Close);
    expect(error.message).toContain("The container can't make Close: parameter 0 of Ledger asks for Orders");
    expect(error.next).toContain('container.bind(Orders).toSelf()');
  });

  it('where only the plan knows', () => {
    @injectable()
    class SmtpMailer {
      constructor(readonly orders: Orders) {}
    }
    @ScheduledTask()
    class Mail {
      constructor(@inject('mailer') readonly mailer: Mailer) {}
      handle(): void {}
    }
    const container = new Container();
    container.bind('mailer').to(SmtpMailer);
    const error = refusal(container, Mail);
    expect(error.message).toContain('parameter 0 of Mail fails (No bindings found for service: "Orders")');
    expect(error.next).toBe('Mend the binding that this names.');
  });
});

describe('other plans that fail', () => {
  it('with two bindings of the class', () => {
    @ScheduledTask()
    class Mail {
      handle(): void {}
    }
    const container = new Container();
    const tasks = fromContainer(container, [Mail]);
    container.bind(Mail).toSelf().inSingletonScope();
    const make = (): Carillon => new Carillon({ backend: memoryStore(), tasks });
    expect(make).toThrow('Ambiguous bindings found for service: "Mail". Bind Mail once, before fromContainer()');
  });

  it('in a circle', () => {
    @injectable()
    class Hen {
      constructor(@inject(new LazyServiceIdentifier(() => Egg)) readonly egg: object) {}
    }
    @injectable()
    class Egg {
      constructor(readonly hen: Hen) {}
    }
    @ScheduledTask()
    class Breed {
      constructor(readonly egg: Egg) {}
      handle(): void {}
    }
    const container = new Container();
    container.bind(Hen).toSelf();
    container.bind(Egg).toSelf();
    expect(refusal(container, Breed).message).toMatch(
      /parameter 0 of Hen fails \(Circular dependency found: .*Egg -> Hen/,
    );
  });
});

describe('a parameter that names no service', () => {
  it('is an interface, a primitive, or of a class without metadata', () => {
    @ScheduledTask()
    class A {
      constructor(
        readonly orders: Orders,
        readonly mailer: Mailer,
      ) {}
      handle(): void {}
    }
    @ScheduledTask()
    class B {
      constructor(readonly retries: number) {}
      handle(): void {}
    }
    class C {
      constructor(readonly orders: Orders) {}
      @ScheduledTask()
      run(): void {}
    }
    @ScheduledTask()
    class D {
      constructor(@optional() readonly mailer: Mailer | undefined) {}
      handle(): void {}
    }
    const container = new Container();
    container.bind(Orders).toSelf();
    const error = refusal(container, A);
    expect(error.code).toBe('E_TASK_HANDLER');
    expect(error.message).toContain("The container can't make A: parameter 1 of A names no service.");
    expect(error.next).toMatch(/^Write @inject\(TOKEN\) before it\./);
    expect(refusal(container, B).message).toContain('parameter 0 of B names no service');
    expect(refusal(container, C).message).toContain('parameter 0 of C names no service');
    expect(refusal(container, D).message).toContain('parameter 0 of D names no service');
  });

  it('is of a built-in class that nobody has bound', () => {
    @ScheduledTask()
    class A {
      constructor(readonly since: Date) {}
      handle(): void {}
    }
    const container = new Container();
    expect(refusal(container, A).message).toContain('parameter 0 of A names no service');
    container.bind(Date).toConstantValue(new Date(0));
    accepted(container, A);
  });

  it('is of no concern where the user makes the class', () => {
    @ScheduledTask()
    class A {
      constructor(readonly mailer: Mailer) {}
      handle(): void {}
    }
    const container = new Container();
    container.bind(A).toDynamicValue(() => new A({ send: () => {} }));
    accepted(container, A);
  });
});

describe('what can be made is accepted', () => {
  it('optional, unmanaged and defaulted parameters', () => {
    @ScheduledTask()
    class A {
      constructor(
        @inject('mailer') @optional() readonly mailer: Mailer | undefined,
        @unmanaged() readonly retries: number,
        readonly limit = 3,
      ) {}
      handle(): void {}
    }
    accepted(new Container(), A);
  });

  it('with autobinding, with a parent, without just-in-time code', () => {
    @ScheduledTask()
    class Close {
      constructor(readonly orders: Orders) {}
      handle(): void {}
    }
    @ScheduledTask()
    class Mail {
      constructor(readonly mailer: Mailer) {}
      handle(): void {}
    }
    @injectable()
    class Ledger {
      constructor(readonly mailer: Mailer) {}
    }
    @ScheduledTask()
    class Book {
      constructor(readonly ledger: Ledger) {}
      handle(): void {}
    }
    accepted(new Container({ autobind: true }), Close);
    expect(refusal(new Container({ autobind: true }), Mail).message).toContain('parameter 0 of Mail names no service');
    expect(refusal(new Container({ autobind: true }), Book).message).toContain(
      'parameter 0 of Ledger names no service',
    );
    const parent = new Container();
    parent.bind(Orders).toSelf();
    accepted(new Container({ parent }), Close);
    const jitless = new Container({ jitless: true });
    jitless.bind(Orders).toSelf();
    accepted(jitless, Close);
  });

  it('and the container is left as it was', () => {
    @ScheduledTask()
    class Close {
      constructor(readonly orders: Orders) {}
      handle(): void {}
    }
    const container = new Container();
    let made = 0;
    container.bind(Orders).toDynamicValue(() => {
      made += 1;
      return new Orders();
    });
    accepted(container, Close);
    expect(made).toBe(0);
    expect(container.get(Close).orders).toBeInstanceOf(Orders);
  });
});

describe('metadata', () => {
  it("survive this test run's compiler, and stand where they are looked for", () => {
    @injectable()
    class Close {
      constructor(
        readonly orders: Orders,
        @inject('mailer') readonly mailer: Mailer,
      ) {}
    }
    expect(Reflect.getOwnMetadata('design:paramtypes', Close)).toEqual([Orders, Object]);
    expect(injectionsOf(Close).map(({ where, token }) => [where, token])).toEqual([
      ['parameter 0 of Close', Orders],
      ['parameter 1 of Close', 'mailer'],
    ]);
  });
});

class Clock {}
