// Crash point: the named moments of a job's way through the ports, so that something can befall a process exactly there.
//
// C1  What befalls a process at a point befalls it once, and a process that is killed does nothing more.

import type { Backend, ChangeAnswer, Delivery, Ledger, Transport, Write } from '@carillon/core/spi';

/** What a process does to a job through the ports; `effect` is its handler's own. On a fused store a receive claims. */
type Step = 'place' | 'send' | 'receive' | 'claim' | 'effect' | 'finish' | 'strike' | 'ack';
/** A moment at which something may befall a process: before a call is passed on, or after it has been applied. */
export type CrashPoint = `${'before' | 'after'} ${Step}`;

/** What befalls a process: SIGKILL; SIGSTOP until it is continued; or the call, or its reply, is lost on the way. */
export interface Fault {
  readonly at: CrashPoint;
  readonly is: 'killed' | 'stopped' | 'lost';
}

/** Called at every point; what it throws is what the caller of the port gets to see. */
export type Reached = (point: CrashPoint) => void;

/** Has `fault` befall this process when its point is reached. Being stopped is left to the handler, the only one who can. */
export function befall(fault: Fault | undefined): Reached {
  let struck = false;
  return (point) => {
    if (struck || point !== fault?.at || fault.is === 'stopped') return;
    struck = true; // C1
    if (fault.is === 'lost') throw new Error(`lost on the way: ${point}`);
    process.kill(process.pid, 'SIGKILL');
    for (;;); // C1: the signal may reach another thread of the process first
  };
}

/** The same backend, telling of every point that is reached. */
export function withCrashPoints({ transport, ledger, fused = false }: Backend, reached: Reached): Backend {
  const around = async <T>(step: Step | undefined, call: () => Promise<T>, applied: (answer: T) => boolean) => {
    if (step !== undefined) reached(`before ${step}`);
    const answer = await call();
    if (step !== undefined && applied(answer)) reached(`after ${step}`);
    return answer;
  };

  const acked = (delivery: Delivery): Delivery => ({
    ...delivery,
    ack: () =>
      around(
        'ack',
        () => delivery.ack(),
        (answer) => answer === 'ok',
      ),
  });

  const transportCalls: Partial<Transport> = {
    receive: async (request) => {
      const step = fused ? 'claim' : 'receive';
      const deliveries = await around(step, () => transport.receive(request), isSome);
      return deliveries.map(acked);
    },
    send: (messages) => around('send', () => transport.send(messages), isSome),
  };
  const ledgerCalls: Partial<Ledger> = {
    acquire: (claims) =>
      around(
        'claim',
        () => ledger.acquire(claims),
        (answers) => answers.some(({ answer }) => answer === 'granted'),
      ),
    commit: (changes) => {
      const step = stepOf(changes.flatMap(({ writes }) => writes));
      return around(step, () => ledger.commit(changes), areOk);
    },
  };
  return { transport: replacing(transport, transportCalls), ledger: replacing(ledger, ledgerCalls), fused };
}

/** Who puts a new job places it; who puts by the fence of a lease finishes with it; who only strikes has sent. */
function stepOf(writes: readonly Write[]): Step | undefined {
  for (const write of writes) {
    if (write.do === 'sent') return 'strike';
    if (write.do === 'put' && 'absent' in write.expect && write.key.kind === 'job') return 'place';
    if (write.do === 'put' && 'fence' in write.expect) return 'finish';
  }
  return undefined;
}

const isSome = (answers: readonly unknown[]): boolean => answers.length > 0;
const areOk = (answers: readonly ChangeAnswer[]): boolean => answers.every(({ answer }) => answer === 'ok');

/** The port with some of its calls replaced. */
function replacing<T extends object>(port: T, calls: Partial<T>): T {
  return new Proxy(port, {
    get(_, name) {
      const value: unknown = Reflect.get(calls, name) ?? Reflect.get(port, name);
      return typeof value === 'function' ? (value.bind(port) as unknown) : value;
    },
  });
}
