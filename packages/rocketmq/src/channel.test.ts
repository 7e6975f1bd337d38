import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { systemClock } from '@carillon/core/spi';
import service from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';
import { expect, it } from 'vitest';
import { Channel } from './channel.js';
import { HeartbeatRequest, MessagingServiceService } from './protocol.js';

it('C3: each client of a connection has an id of its own', async () => {
  const ids: unknown[] = [];
  const server = new Server();
  server.addService(MessagingServiceService, {
    heartbeat(call: ServerUnaryCall<unknown, unknown>, answer: sendUnaryData<unknown>) {
      ids.push(...call.metadata.get('x-mq-client-id'));
      answer(null, new service.HeartbeatResponse());
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, at: number): void => (error ? reject(error) : resolve(at));
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), bound);
  });
  const options = { credentials: undefined, tls: undefined, clock: systemClock };
  const channel = new Channel({ endpoint: `127.0.0.1:${port}`, clientId: 'me', ...options });
  for (const client of [channel, channel.client('one'), channel.client('two')])
    await client.call('heartbeat', new HeartbeatRequest(), 5_000);
  expect(ids).toEqual(['me', 'me@one', 'me@two']);
  channel.close();
  server.forceShutdown();
});
