// Remoting: the broker's own administration protocol, as little of it as the admin helper needs. A frame is
//
//   length of the rest (4 bytes) · length of the header (4 bytes, the first is 0: JSON) · header (JSON) · body

import { connect, type Socket } from 'node:net';

/** What is asked of a broker or a name server. */
export interface RemotingRequest {
  readonly code: number;
  readonly extFields?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** What it answered. */
export interface RemotingResponse {
  readonly code: number;
  readonly remark: string;
  readonly body: Buffer;
}

interface Waiting {
  readonly resolve: (response: RemotingResponse) => void;
  readonly reject: (error: Error) => void;
}

/** One connection to a broker or a name server. */
export class Remoting {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  #opaque = 0;
  #seen = Buffer.alloc(0);

  /** Connects to `host:port`; a call that gets no answer within `timeoutMs` rejects. */
  constructor(address: string, timeoutMs: number) {
    const at = address.lastIndexOf(':');
    this.#socket = connect(Number(address.slice(at + 1)), address.slice(0, at));
    this.#socket.setTimeout(timeoutMs, () => this.#socket.destroy(new Error(`No answer from ${address}.`)));
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(new Error(`${address} closed the connection.`)));
  }

  /** Makes one request; several may be under way. */
  call({ code, extFields = {}, body = Buffer.alloc(0) }: RemotingRequest): Promise<RemotingResponse> {
    return new Promise((resolve, reject) => {
      const opaque = (this.#opaque += 1);
      this.#waiting.set(opaque, { resolve, reject });
      const shape = { language: 'OTHER', version: 0, flag: 0, serializeTypeCurrentRPC: 'JSON' };
      const header = Buffer.from(JSON.stringify({ code, opaque, extFields, ...shape }));
      const lengths = Buffer.alloc(8);
      lengths.writeUInt32BE(4 + header.length + body.length, 0);
      lengths.writeUInt32BE(header.length, 4);
      this.#socket.write(Buffer.concat([lengths, header, body]));
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#seen = Buffer.concat([this.#seen, chunk]);
    while (this.#seen.length >= 8) {
      const end = 4 + this.#seen.readUInt32BE(0);
      if (this.#seen.length < end) return;
      const bodyAt = 8 + this.#seen.readUIntBE(5, 3);
      const header = JSON.parse(this.#seen.toString('utf8', 8, bodyAt)) as {
        opaque: number;
        code: number;
        remark?: string;
      };
      const body = Buffer.from(this.#seen.subarray(bodyAt, end));
      this.#seen = this.#seen.subarray(end);
      this.#waiting.get(header.opaque)?.resolve({ code: header.code, remark: header.remark ?? '', body });
      this.#waiting.delete(header.opaque);
    }
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
