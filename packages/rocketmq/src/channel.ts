// Channel: one connection to a proxy: calls with a deadline, signed as the broker wants it.
//
// C1  Every call ends by its deadline.
// C2  A connection on which nothing is heard any more, though calls are made, is replaced by a new one: TCP alone would
//     notice a dead peer after a quarter of an hour.
// C3  A proxy keeps one set of settings for each client id, and one stream on which it answers them: of two clients under one
//     id that tell their settings at the same moment, one may never be answered. So each consumer has an id of its own.
// C4  Nothing is emitted as an uncaught error, whatever happens to the connection.

import { credentials, type ClientDuplexStream, type ClientReadableStream, type Metadata, status } from '@grpc/grpc-js';
import type { Clock } from '@carillon/core/spi';
import type * as pb from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';
import type { MessagingServiceClient as Stub } from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_grpc_pb.js';
import { type Arrival, readArrival } from './arrival.js';
import type { Credentials } from './credentials.js';
import { Identity } from './identity.js';
import type { Tls } from './options.js';
import { MessagingServiceClient, MessagingServiceService } from './protocol.js';

/** What a connection is made of. */
export interface ChannelOptions {
  readonly endpoint: string;
  readonly clientId: string;
  readonly credentials: Credentials | undefined;
  readonly tls: Tls | undefined;
  readonly clock: Clock;
}

/** The calls that are answered once, and their types. */
export interface Calls {
  queryRoute: [pb.QueryRouteRequest, pb.QueryRouteResponse];
  sendMessage: [pb.SendMessageRequest, pb.SendMessageResponse];
  ackMessage: [pb.AckMessageRequest, pb.AckMessageResponse];
  changeInvisibleDuration: [pb.ChangeInvisibleDurationRequest, pb.ChangeInvisibleDurationResponse];
  heartbeat: [pb.HeartbeatRequest, pb.HeartbeatResponse];
  notifyClientTermination: [pb.NotifyClientTerminationRequest, pb.NotifyClientTerminationResponse];
  recallMessage: [pb.RecallMessageRequest, pb.RecallMessageResponse];
}

type Unary = (
  request: unknown,
  metadata: Metadata,
  options: { deadline: number },
  callback: (error: Error | null, response: unknown) => void,
) => void;

const SILENT_CALLS = 3; // so many deadlines in a row, and nothing heard between them: C2
const INBOUND_BYTES = 32 * 1024 * 1024; // a whole batch of the longest bodies

/** Calls under one client id. */
export type Client = Pick<Channel, 'call' | 'receive' | 'telemetry'>;

/** One connection to a proxy. */
export class Channel {
  readonly #options: ChannelOptions;
  #stub: Stub;
  readonly #identity: Identity;
  #silent = 0;
  #closed = false;

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.#identity = this.#named(options.clientId);
    this.#stub = this.#connect();
  }

  /** A further client on this connection (C3). */
  client(name: string): Client {
    const identity = this.#named(`${this.#options.clientId}@${name}`);
    return {
      call: (call, request, timeoutMs) => this.call(call, request, timeoutMs, identity),
      receive: (request, timeoutMs) => this.receive(request, timeoutMs, identity),
      telemetry: () => this.telemetry(identity),
    };
  }

  /** Makes a call; rejects when it fails or `timeoutMs` have passed. */
  call<Name extends keyof Calls>(
    name: Name,
    request: Calls[Name][0],
    timeoutMs: number,
    identity = this.#identity,
  ): Promise<Calls[Name][1]> {
    return new Promise((resolve, reject) => {
      const stub = this.#stub;
      const answer = (error: Error | null, response: unknown): void => {
        this.#hear(stub, error);
        if (error) reject(error);
        else resolve(response as Calls[Name][1]);
      };
      const deadline = Date.now() + timeoutMs; // grpc-js counts it on this host's clock
      (stub[name] as unknown as Unary).call(stub, request, identity.sign(), { deadline }, answer);
    });
  }

  /** Asks for messages; the answer comes in parts. */
  receive(
    request: pb.ReceiveMessageRequest,
    timeoutMs: number,
    identity = this.#identity,
  ): ClientReadableStream<Arrival> {
    const { path, requestSerialize } = MessagingServiceService.receiveMessage;
    const options = { deadline: Date.now() + timeoutMs };
    return this.#stub.makeServerStreamRequest(path, requestSerialize, readArrival, request, identity.sign(), options);
  }

  /** Opens the stream in which client and proxy tell each other their settings. */
  telemetry(identity = this.#identity): ClientDuplexStream<pb.TelemetryCommand, pb.TelemetryCommand> {
    return this.#stub.telemetry(identity.sign());
  }

  /** Ends the connection, and with it every call. */
  close(): void {
    this.#closed = true;
    this.#stub.close();
  }

  #named(clientId: string): Identity {
    return new Identity(clientId, this.#options.credentials, this.#options.clock);
  }

  #connect(): Stub {
    const { endpoint, tls } = this.#options;
    const { root, key, certificate } = tls ?? {};
    const security = tls
      ? credentials.createSsl(root ?? null, key ?? null, certificate ?? null)
      : credentials.createInsecure();
    return new MessagingServiceClient(endpoint, security, {
      'grpc.max_receive_message_length': INBOUND_BYTES,
      'grpc.use_local_subchannel_pool': 1, // else a new connection would be the dead one: C2
      'grpc.initial_reconnect_backoff_ms': 200,
      'grpc.max_reconnect_backoff_ms': 5_000,
    });
  }

  #hear(stub: Stub, error: Error | null): void {
    if (stub !== this.#stub || this.#closed) return;
    this.#silent = error && 'code' in error && error.code === status.DEADLINE_EXCEEDED ? this.#silent + 1 : 0;
    if (this.#silent < SILENT_CALLS) return;
    this.#silent = 0;
    this.#stub = this.#connect();
    stub.close(); // C2
  }
}
