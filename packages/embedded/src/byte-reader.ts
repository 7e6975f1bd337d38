// Byte reader: what a byte writer wrote, in the same order.

const EMPTY = Buffer.alloc(0);

/** Reads numbers and texts one after the other. */
export class ByteReader {
  /** Where the next read begins. */
  at = 0;
  #bytes: Buffer = EMPTY;
  #view: DataView = new DataView(EMPTY.buffer);

  /** Begins to read. Most rows come in one large buffer of lmdb's, so its view is kept. */
  start(bytes: Buffer, at: number): void {
    this.at = at;
    if (bytes === this.#bytes) return;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset);
  }

  uint8(): number {
    this.at += 1;
    return this.#view.getUint8(this.at - 1);
  }

  uint16(): number {
    this.at += 2;
    return this.#view.getUint16(this.at - 2);
  }

  uint32(): number {
    this.at += 4;
    return this.#view.getUint32(this.at - 4);
  }

  uint48(): number {
    return this.uint16() * 2 ** 32 + this.uint32();
  }

  float64(): number {
    this.at += 8;
    return this.#view.getFloat64(this.at - 8);
  }

  text(): string {
    const short = this.uint8();
    const length = short === 255 ? this.uint32() : short;
    this.at += length;
    return this.#bytes.toString('utf8', this.at - length, this.at);
  }

  /** A copy of so many bytes. */
  bytes(length: number): Uint8Array {
    this.at += length;
    return new Uint8Array(this.#bytes.subarray(this.at - length, this.at));
  }
}
