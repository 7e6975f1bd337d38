// Failure: what went wrong at the broker, as far as it matters for what to do next.
//
// F1  Only an answer that says so means that a message was not stored: a time-out, a broken connection or a server's error
//     may come after the write.
// F2  50001 means everything and nothing: its text decides.

import { CarillonError } from '@carillon/core/spi';
import { Code } from './protocol.js';

/** What to do about a failure. */
export type FailureKind =
  /** Not taken now: ask again, later. */
  | 'throttled'
  /** The delivery time is further ahead than the broker allows. */
  | 'beyond'
  /** The delivery's lease has ended. */
  | 'lost'
  /** Refused for good, this message alone. */
  | 'refused'
  /** A topic or group is missing, or of the wrong type: somebody must mend it. */
  | 'setup'
  /** The credentials are wrong, or allow too little. */
  | 'access'
  /** The proxy has forgotten this client's settings, as after its restart; they are being told again. */
  | 'forgotten'
  /** No connection; what was under way may have arrived. */
  | 'unreachable'
  /** Anything may have happened. */
  | 'unclear';

/** A status as the broker answers it. */
export interface BrokerStatus {
  readonly code: number;
  readonly message: string;
}

const GRPC = { cancelled: 1, denied: 7, unavailable: 14, unauthenticated: 16 } as const;

const WELL: ReadonlySet<number> = new Set([Code.OK, Code.MULTIPLE_RESULTS]);

const OF_STATUS: ReadonlyMap<number, FailureKind> = new Map([
  [Code.TOO_MANY_REQUESTS, 'throttled'],
  [Code.ILLEGAL_DELIVERY_TIME, 'beyond'],
  [Code.INVALID_RECEIPT_HANDLE, 'lost'],
  [Code.MESSAGE_NOT_FOUND, 'lost'],
  [Code.ILLEGAL_MESSAGE_ID, 'refused'],
  [Code.ILLEGAL_MESSAGE_PROPERTY_KEY, 'refused'],
  [Code.MESSAGE_CORRUPTED, 'refused'],
  [Code.PAYLOAD_TOO_LARGE, 'refused'],
  [Code.MESSAGE_BODY_TOO_LARGE, 'refused'],
  [Code.MESSAGE_BODY_EMPTY, 'refused'],
  [Code.REQUEST_HEADER_FIELDS_TOO_LARGE, 'refused'],
  [Code.MESSAGE_PROPERTIES_TOO_LARGE, 'refused'],
  [Code.ILLEGAL_TOPIC, 'setup'],
  [Code.ILLEGAL_CONSUMER_GROUP, 'setup'],
  [Code.MESSAGE_PROPERTY_CONFLICT_WITH_TYPE, 'setup'],
  [Code.NOT_FOUND, 'setup'],
  [Code.TOPIC_NOT_FOUND, 'setup'],
  [Code.CONSUMER_GROUP_NOT_FOUND, 'setup'],
  [Code.UNAUTHORIZED, 'access'],
  [Code.PAYMENT_REQUIRED, 'access'],
  [Code.FORBIDDEN, 'access'],
]);

const TEXTS: readonly [RegExp, FailureKind][] = [
  [/timer message illegal|delay time should not be bigger/i, 'beyond'],
  [/flow control|system busy|broker busy|too many requests|congest/i, 'throttled'],
  [/settings is null/i, 'forgotten'],
];

/** A call that the broker did not do, or perhaps did not. */
export class BrokerFailure extends Error {
  override readonly name = 'BrokerFailure';
  readonly kind: FailureKind;
  /** The broker's code, or that of gRPC. */
  readonly code: number | undefined;

  constructor(kind: FailureKind, message: string, code: number | undefined, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.code = code;
  }
}

/** Reads a status; undefined if it says that all is well. */
export function failureOf(status: BrokerStatus | undefined): BrokerFailure | undefined {
  if (status === undefined || WELL.has(status.code)) return undefined;
  const { code, message } = status;
  const text = `RocketMQ answered ${code}: ${message}`;
  const byText = TEXTS.find(([pattern]) => pattern.test(message))?.[1]; // F2
  return new BrokerFailure(OF_STATUS.get(code) ?? byText ?? 'unclear', text, code);
}

/** Reads what a call threw. */
export function failureFrom(error: unknown): BrokerFailure {
  if (error instanceof BrokerFailure) return error;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
  const text = error instanceof Error ? error.message : String(error);
  if (/group not found/i.test(text)) return new BrokerFailure('setup', text, Code.CONSUMER_GROUP_NOT_FOUND, error); // the stream says it so
  return new BrokerFailure(kindOfGrpc(code), `RocketMQ could not be asked: ${text}`, code, error);
}

/** The longest delay in ms that a refusal names, if it names one. */
export function longestDelayMs(failure: BrokerFailure): number | undefined {
  const named = /max(?:imum)?(?: delay)?(?: is)? (\d{3,})/i.exec(failure.message)?.[1];
  return named === undefined ? undefined : Number(named);
}

/** Tells a user what to do about a failure that only a person can mend; other failures come back as they are. */
export function explain(failure: BrokerFailure, what: { topic: string; group: string }): Error {
  const { kind, code } = failure;
  const user = /User:(\S+) has no permission/.exec(failure.message)?.[1]; // the code is the one of a wrong secret
  if (user !== undefined) return rightMissing(user, what, failure);
  if (kind === 'access') return notLetIn(what, failure);
  if (kind !== 'setup') return failure;
  if (code === Code.CONSUMER_GROUP_NOT_FOUND || code === Code.ILLEGAL_CONSUMER_GROUP)
    return groupMissing(what, failure);
  const wrongType = code === Code.MESSAGE_PROPERTY_CONFLICT_WITH_TYPE;
  return wrongType ? wrongTopicType(what.topic, failure) : topicMissing(what.topic, failure);
}

/** The error for a topic that does not exist. */
export function topicMissing(topic: string, cause?: unknown): CarillonError {
  return setup(`The topic ${topic} does not exist on this RocketMQ.`, topicCommand(topic), cause);
}

/** The error for a topic that takes no delayed messages. */
export function wrongTopicType(topic: string, cause?: unknown): CarillonError {
  return setup(
    `The topic ${topic} takes no delayed messages: it is not of the type DELAY, or does not exist.`,
    topicCommand(topic),
    cause,
  );
}

/** The error for a client whom the broker does not know, or does not believe. */
function notLetIn({ topic, group }: { topic: string; group: string }, cause: BrokerFailure): CarillonError {
  return new CarillonError('E_BROKER_ACCESS', 'RocketMQ does not let this client do what it must.', {
    next: `Check the credentials, and that they allow PUB and SUB on ${topic} and SUB on ${group}.`,
    cause,
  });
}

/** The error for a client whom the broker knows, and who lacks a right. */
function rightMissing(user: string, { topic, group }: { topic: string; group: string }, cause: unknown): CarillonError {
  const rule = `-s User:${user} -r Topic:${topic},Group:${group} -a Pub,Sub -d Allow`;
  return new CarillonError('E_BROKER_ACCESS', `The user ${user} has no right to use ${topic} and its group.`, {
    next: `Run: mqadmin createAcl -n <name server> -c <cluster> ${rule}`,
    cause,
  });
}

/** The error for a consumer group that does not exist. */
function groupMissing({ group }: { group: string }, cause?: unknown): CarillonError {
  const command = `mqadmin updateSubGroup -n <name server> -c <cluster> -g ${group} -r 1000`;
  return setup(`The consumer group ${group} does not exist on this RocketMQ.`, command, cause);
}

function topicCommand(topic: string): string {
  return `mqadmin updateTopic -n <name server> -c <cluster> -t ${topic} -r 8 -w 8 -a +message.type=DELAY`;
}

function setup(message: string, command: string, cause: unknown): CarillonError {
  return new CarillonError('E_BROKER_SETUP', message, { next: `Run: ${command}`, cause });
}

function kindOfGrpc(code: number | undefined): FailureKind {
  if (code === GRPC.unavailable || code === GRPC.cancelled) return 'unreachable';
  if (code === GRPC.unauthenticated || code === GRPC.denied) return 'access';
  return 'unclear'; // F1: a deadline above all
}
