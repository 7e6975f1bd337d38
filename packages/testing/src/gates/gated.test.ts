import { describe, expect, it } from 'vitest';
import { memory, memoryStore } from '../memory/memory.js';
import { VirtualClock } from '../virtual-clock.js';
import { gated } from './gated.js';

const key = { kind: 'job', id: 'a', partition: 'a' };
const message = { id: 'm', queue: 'q', body: new Uint8Array([1]), deliverAt: 0 };
const request = { queue: 'q', max: 1, leaseMs: 1000, holder: 'h', signal: new AbortController().signal };

describe('gated', () => {
  it('fails the ordered calls only, and counts all (G1, G2)', async () => {
    const { ledger } = gated(memory());
    ledger.fail('read', { skip: 1, times: 2, error: new Error('ordered') });
    const outcomes: string[] = [];
    for (let call = 0; call < 4; call += 1) {
      outcomes.push(
        await ledger.read([key]).then(
          () => 'passed',
          (error: Error) => error.message,
        ),
      );
    }
    expect(outcomes).toEqual(['passed', 'ordered', 'ordered', 'passed']);
    expect([ledger.calls('read'), ledger.calls('commit')]).toEqual([4, 0]);
  });

  it('can lose the answer of a call that had its effect', async () => {
    const backend = memory({ clock: new VirtualClock() });
    const { transport } = gated(backend);
    transport.fail('send', { when: 'after' });
    await expect(transport.send([message])).rejects.toThrow('The gate failed this call of send.');
    expect(await transport.receive(request)).toHaveLength(1);
  });

  it('holds a call until it is released', async () => {
    const { ledger } = gated(memory());
    const hold = ledger.hold('now');
    let answered = false;
    const call = ledger.now().then(() => (answered = true));
    await hold.reached;
    expect([answered, ledger.calls('now')]).toEqual([false, 1]);
    hold.release();
    await call;
    expect(answered).toBe(true);
  });

  it('gates what deliveries do', async () => {
    const clock = new VirtualClock();
    const { transport } = gated(memory({ clock }));
    transport.fail('ack', { when: 'after' });
    await transport.send([message]);
    const [delivery] = await transport.receive(request);
    await expect(delivery!.ack()).rejects.toThrow('ack');
    expect(await delivery!.ack()).toBe('lost'); // the first one had been heard
    expect(transport.calls('ack')).toBe(2);
  });

  it('tells of the health that a test makes up, until the subscription ends', () => {
    const { transport, fused } = gated(memoryStore());
    const heard: string[] = [];
    const end = transport.onHealth((health) => heard.push(health.state));
    transport.report({ state: 'down', reason: 'a test' });
    end();
    transport.report({ state: 'up' });
    expect([fused, heard]).toEqual([true, ['down']]);
  });
});
