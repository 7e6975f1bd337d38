// RocketmqProbe: the smallest real questions to a name server and to a proxy.

import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { HOST } from './ports.js';
import type { RocketmqUser } from './rocketmq-files.js';

const GET_BROKER_CLUSTER_INFO = 106;
const OK = 20_000;
const WITHIN_MS = 3_000;

/** Asks a name server who is there; throws if it does not answer. */
export async function askNameserver(port: number): Promise<void> {
  const header = Buffer.from(
    JSON.stringify({ code: GET_BROKER_CLUSTER_INFO, language: 'OTHER', version: 0, opaque: 1, flag: 0 }),
  );
  const lengths = Buffer.alloc(8);
  lengths.writeInt32BE(4 + header.length, 0);
  lengths.writeInt32BE(header.length, 4);
  const socket = connect(port, HOST);
  socket.setTimeout(WITHIN_MS, () => socket.destroy(new Error('no answer')));
  try {
    await once(socket, 'connect');
    socket.write(Buffer.concat([lengths, header]));
    const [reply] = (await once(socket, 'data')) as [Buffer];
    if (!reply.includes('"code":0')) throw new Error(`The name server answers ${reply.subarray(8).toString()}`);
  } finally {
    socket.on('error', () => {}).destroy();
  }
}

/** Asks a proxy for the route of a topic over gRPC, as a user if it wants one; throws unless it knows one. */
export async function askProxy(port: number, topic: string, user?: RocketmqUser): Promise<void> {
  const session = connectHttp2(`http://${HOST}:${port}`);
  const failed = once(session, 'close').then(() => {
    throw new Error('the connection was closed');
  });
  failed.catch(() => {}); // the race below hears of it
  session.on('error', () => {});
  session.setTimeout(WITHIN_MS, () => session.destroy());
  try {
    const status = await Promise.race([failed, queryRoute(session, topic, user)]);
    if (status !== OK) throw new Error(`The proxy answers ${status} for the topic ${topic}`);
  } finally {
    session.destroy();
  }
}

async function queryRoute(
  session: ReturnType<typeof connectHttp2>,
  topic: string,
  user: RocketmqUser | undefined,
): Promise<number | undefined> {
  const name = Buffer.from(topic);
  const resource = Buffer.from([0x12, name.length, ...name]); // Resource { name = 2 }
  const message = Buffer.from([0x0a, resource.length, ...resource]); // QueryRouteRequest { topic = 1 }
  const stream = session.request({
    ':method': 'POST',
    ':path': '/apache.rocketmq.v2.MessagingService/QueryRoute',
    'content-type': 'application/grpc',
    te: 'trailers',
    'x-mq-client-id': 'carillon-probe',
    'x-mq-protocol': 'v2',
    'x-mq-language': 'NODE_JS',
    'x-mq-client-version': '1.0.0',
    ...(user && signed(user)),
  });
  stream.on('error', () => {});
  stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]));
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return statusCode(Buffer.concat(chunks));
}

function signed({ accessKey, accessSecret }: RocketmqUser): Record<string, string> {
  const time = `${new Date().toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
  const signature = createHmac('sha1', accessSecret).update(time).digest('hex').toUpperCase();
  const scope = `Credential=${accessKey}, SignedHeaders=x-mq-date-time, Signature=${signature}`;
  return { 'x-mq-date-time': time, authorization: `MQv2-HMAC-SHA1 ${scope}` };
}

/** The code of the status that a reply begins with: `{ status = 1: { code = 1 } }`, after the five bytes of gRPC. */
function statusCode(reply: Buffer): number | undefined {
  const [length, start] = varint(reply, 6);
  if (reply[5] !== 0x0a || length === 0 || reply[start] !== 0x08) return undefined;
  return varint(reply, start + 1)[0];
}

function varint(bytes: Buffer, at: number): [value: number, end: number] {
  let value = 0;
  for (let end = at; end < bytes.length; end += 1) {
    value += (bytes[end]! & 0x7f) * 2 ** (7 * (end - at));
    if (bytes[end]! < 0x80) return [value, end + 1];
  }
  return [0, bytes.length];
}
