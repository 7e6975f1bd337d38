// Wire: reads the fields of a message of protocol buffers, one after the other, where they lie.
//
// W1  What ends within a field, or is of a kind that nobody writes any more, throws: nothing is made up of it.

const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const FIXED_32 = 5;

/** The fields of one message, from the first to the last. */
export class Wire {
  /** The number of the field. */
  field = 0;
  /** Its value, if it is a number: exact up to 2^53. */
  value = 0;
  #start = 0;
  #at: number;
  readonly #bytes: Buffer;
  readonly #end: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Goes on to the next field; false if there is none. */
  next(): boolean {
    if (this.#at === this.#end) return false;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    const kind = tag % 8;
    this.value = kind === VARINT || kind === BYTES ? this.#varint() : 0;
    this.#start = this.#at;
    if (kind === BYTES) this.#at += this.value;
    else if (kind === FIXED_64) this.#at += 8;
    else if (kind === FIXED_32) this.#at += 4;
    else if (kind !== VARINT) throw new Error(`A field of the kind ${kind} can't be read.`); // W1
    return true;
  }

  /** The field as a text. */
  text(): string {
    return this.#bytes.toString('utf8', this.#start, this.#at);
  }

  /** The field as it is; not a copy. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#at);
  }

  /** The field as a message of its own. */
  message(): Wire {
    return new Wire(this.#bytes, this.#start, this.#at);
  }

  #varint(): number {
    let value = 0;
    for (let factor = 1; this.#at < this.#end; factor *= 128) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    throw new Error('A message ends within a field.'); // W1: also where the field before it went too far
  }
}
