// Channel: one connection to a proxy: calls with a deadline, signed as the broker wants it.
//
// C1  Every call ends by its deadline.
// C2  A connection on which nothing is heard any more, though calls are made, is replaced by a new one: TCP alone would
//     notice a dead peer after a quarter of an hour.
// C3  Nothing is emitted as an uncaught error, whatever happens to the connection.

import { createHmac } from 'node:crypto';
import { credentials, type ClientDuplexStream, type ClientReadableStream, Metadata, status } from '@grpc/grpc-js';
import type { Clock } from '@carillon/core/spi';
import type * as pb from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';
import type { MessagingServiceClient as Stub } from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_grpc_pb.js';
import { type Arrival, readArrival } from './arrival.js';
import type { Credentials } from './credentials.js';
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

/** One connection to a proxy. */
export class Channel {
  readonly #options: ChannelOptions;
  #stub: Stub;
  #silent = 0;
  #metadata: Metadata | undefined;
  #signedAt = '';
  #closed = false;

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.#stub = this.#connect();
  }

  get clientId(): string {
    return this.#options.clientId;
  }

  /** Makes a call; rejects when it fails or `timeoutMs` have passed. */
  call<Name extends keyof Calls>(name: Name, request: Calls[Name][0], timeoutMs: number): Promise<Calls[Name][1]> {
    return new Promise((resolve, reject) => {
      const stub = this.#stub;
      const answer = (error: Error | null, response: unknown): void => {
        this.#hear(stub, error);
        if (error) reject(error);
        else resolve(response as Calls[Name][1]);
      };
      const deadline = Date.now() + timeoutMs; // grpc-js counts it on this host's clock
      (stub[name] as unknown as Unary).call(stub, request, this.#sign(), { deadline }, answer);
    });
  }

  /** Asks for messages; the answer comes in parts. */
  receive(request: pb.ReceiveMessageRequest, timeoutMs: number): ClientReadableStream<Arrival> {
    const { path, requestSerialize } = MessagingServiceService.receiveMessage;
    const options = { deadline: Date.now() + timeoutMs };
    return this.#stub.makeServerStreamRequest(path, requestSerialize, readArrival, request, this.#sign(), options);
  }

  /** Opens the stream in which client and proxy tell each other their settings. */
  telemetry(): ClientDuplexStream<pb.TelemetryCommand, pb.TelemetryCommand> {
    return this.#stub.telemetry(this.#sign());
  }

  /** Ends the connection, and with it every call. */
  close(): void {
    this.#closed = true;
    this.#stub.close();
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

  /** The headers of a call; the signature is of the second, so one serves many calls. */
  #sign(): Metadata {
    const { clientId, clock, credentials: keys } = this.#options;
    const dateTime = `${new Date(clock.now()).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
    if (this.#metadata !== undefined && dateTime === this.#signedAt) return this.#metadata;
    const metadata = new Metadata();
    metadata.set('x-mq-protocol', 'v2');
    metadata.set('x-mq-client-id', clientId);
    metadata.set('x-mq-language', 'HTTP'); // brokers know no language of this name's kind that fits better
    metadata.set('x-mq-client-version', '5.0.0');
    metadata.set('x-mq-date-time', dateTime);
    if (keys !== undefined) {
      if (keys.securityToken !== undefined) metadata.set('x-mq-session-token', keys.securityToken);
      const signature = createHmac('sha1', keys.accessSecret).update(dateTime).digest('hex').toUpperCase();
      const scope = `Credential=${keys.accessKey}, SignedHeaders=x-mq-date-time, Signature=${signature}`;
      metadata.set('authorization', `MQv2-HMAC-SHA1 ${scope}`);
    }
    this.#metadata = metadata;
    this.#signedAt = dateTime;
    return metadata;
  }
}
