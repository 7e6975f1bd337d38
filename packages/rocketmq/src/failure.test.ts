import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { BrokerFailure, explain, failureFrom, failureOf, type FailureKind, longestDelayMs } from './failure.js';

const what = { topic: 'carillon-mail', group: 'carillon-mail' };

describe('a status', () => {
  it.each<[number, string, FailureKind | undefined]>([
    [20000, 'OK', undefined],
    [30000, 'several', undefined],
    [40012, 'the max delay time of message is too large, max is 86400000', 'beyond'],
    [50001, 'timer message illegal, the delay time should not be bigger than the max delay 259200000ms', 'beyond'],
    [42900, 'slow down', 'throttled'],
    [50001, '[REJECTREQUEST]system busy, start flow control for a while', 'throttled'],
    [50001, 'timer message is under flow control, max num limit is 10', 'throttled'],
    [50001, 'settings is null', 'forgotten'],
    [50001, 'NullPointerException', 'unclear'],
    [50002, 'no slave', 'unclear'],
    [50400, 'proxy time-out', 'unclear'],
    [50401, 'flush time-out', 'unclear'],
    [50402, 'slave time-out', 'unclear'],
    [40013, 'receipt handle is expired', 'lost'],
    [40014, 'type mismatch', 'setup'],
    [40402, 'no topic', 'setup'],
    [40403, 'no group', 'setup'],
    [41301, 'too large', 'refused'],
    [41302, 'empty', 'refused'],
    [40100, 'who are you', 'access'],
    [40300, 'not you', 'access'],
  ])('%i %s: %s', (code, message, kind) => {
    expect(failureOf({ code, message })?.kind).toBe(kind);
  });

  it('is all well if there is none', () => {
    expect(failureOf(undefined)).toBeUndefined();
  });
});

describe('what a call throws', () => {
  it.each<[number, FailureKind]>([
    [status.UNAVAILABLE, 'unreachable'],
    [status.CANCELLED, 'unreachable'],
    [status.DEADLINE_EXCEEDED, 'unclear'],
    [status.INTERNAL, 'unclear'],
    [status.UNAUTHENTICATED, 'access'],
    [status.PERMISSION_DENIED, 'access'],
  ])('gRPC %i: %s, never refused (F1)', (code, kind) => {
    expect(failureFrom(Object.assign(new Error('broken'), { code })).kind).toBe(kind);
  });

  it('stays the failure that it is, and anything else is unclear', () => {
    const failure = new BrokerFailure('lost', 'gone', 40013);
    expect(failureFrom(failure)).toBe(failure);
    expect(failureFrom('a text').kind).toBe('unclear');
  });

  it('knows a missing group by the words of the stream', () => {
    const error = Object.assign(new Error('3 INVALID_ARGUMENT: … group not found: g'), { code: 3 });
    const failure = failureFrom(error);
    expect(failure).toMatchObject({ kind: 'setup', code: 40403 });
    expect(explain(failure, what).message).toContain('updateSubGroup');
  });
});

it.each([
  ['the max delay time of message is too large, max is 86400000', 86_400_000],
  ['the delay time should not be bigger than the max delay 259200000ms; or if', 259_200_000],
  ['timer message illegal', undefined],
])('reads the longest delay of %s', (message, ms) => {
  expect(longestDelayMs(new BrokerFailure('beyond', message, 50001))).toBe(ms);
});

describe('what only a person can mend', () => {
  it.each([
    [40402, 'E_BROKER_SETUP', '-t carillon-mail -r 8 -w 8 -a +message.type=DELAY'],
    [40014, 'E_BROKER_SETUP', '-t carillon-mail -r 8 -w 8 -a +message.type=DELAY'],
    [40403, 'E_BROKER_SETUP', 'updateSubGroup -n <name server> -c <cluster> -g carillon-mail -r 1000'],
    [40100, 'E_BROKER_ACCESS', 'PUB and SUB on carillon-mail'],
  ])('%i: %s, with what to do', (code, ours, words) => {
    const error = explain(failureOf({ code, message: 'no' })!, what);
    expect(error).toMatchObject({ code: ours });
    expect(error.message).toContain(words);
  });

  it('tells a missing right from a wrong secret, which has the same code', () => {
    const message = 'User:ann has no permission to access Group:carillon-mail from 127.0.0.1, no matched policies.';
    const error = explain(failureOf({ code: 40100, message })!, what);
    expect(error).toMatchObject({ code: 'E_BROKER_ACCESS' });
    const rule = '-s User:ann -r Topic:carillon-mail,Group:carillon-mail -a Pub,Sub -d Allow';
    expect(error.message).toContain(`Run: mqadmin createAcl -n <name server> -c <cluster> ${rule}`);
  });

  it('leaves the rest as it is', () => {
    const failure = new BrokerFailure('unclear', 'what?', 50001);
    expect(explain(failure, what)).toBe(failure);
  });
});
