// Packer: writes numbers and words one after another, as the scripts read them.
//
// K1  What is packed is one piece of bytes of its own: the space that it was written in is used again, unless it has become large.

const LONGEST_WORD = 0xffff;
const SHORT = 64;
const SPACE = 512;
const LARGE = 64 * 1024;

/** Writes what is asked, one request behind the other. */
export class Packer {
  #space = Buffer.allocUnsafe(SPACE);
  #at = 0;

  /** How many bytes have been packed and not taken. */
  get length(): number {
    return this.#at;
  }

  /** Goes back to where so many bytes had been packed, and forgets what came behind. */
  backTo(length: number): void {
    this.#at = length;
  }

  byte(value: number): this {
    const at = this.#room(1);
    this.#space[at] = value;
    return this;
  }

  /** A whole number below 65,536. */
  count(value: number): this {
    const at = this.#room(2);
    this.#space.writeUInt16LE(value, at);
    return this;
  }

  /** A whole number below 2³². */
  size(value: number): this {
    const at = this.#room(4);
    this.#space.writeUInt32LE(value, at);
    return this;
  }

  number(value: number): this {
    const at = this.#room(8);
    this.#space.writeDoubleLE(value, at);
    return this;
  }

  /** A text and its length before it; throws `TypeError` for one of more than 65,535 bytes. */
  word(text: string): this {
    const from = this.#room(2);
    this.text(text);
    const bytes = this.#at - from - 2;
    if (bytes > LONGEST_WORD) throw new TypeError(`A word of a record has ${bytes} bytes, more than ${LONGEST_WORD}.`);
    this.#space.writeUInt16LE(bytes, from);
    return this;
  }

  /** A text of any length. */
  text(text: string): this {
    const { length } = text;
    const at = this.#room(3 * length);
    const space = this.#space;
    let done = 0;
    if (length <= SHORT) {
      for (; done < length; done += 1) {
        const code = text.charCodeAt(done);
        if (code > 127) break; // of short texts, only those that need it are worth a call out of JavaScript
        space[at + done] = code;
      }
    }
    this.#at = at + (done === length ? length : space.write(text, at));
    return this;
  }

  bytes(bytes: Uint8Array): this {
    const at = this.#room(bytes.length);
    this.#space.set(bytes, at);
    return this;
  }

  /** What `write` packs, and its length before it. */
  block(write: (packer: this) => void): this {
    const from = this.#room(4);
    write(this);
    this.#space.writeUInt32LE(this.#at - from - 4, from);
    return this;
  }

  /** The first bytes that have been packed (K1), by default all; what is left comes first now. */
  take(bytes = this.#at): Buffer {
    const piece = Buffer.allocUnsafe(bytes);
    this.#space.copy(piece, 0, 0, bytes);
    this.#space.copyWithin(0, bytes, this.#at);
    this.#at -= bytes;
    if (this.#at === 0 && this.#space.length > LARGE) this.#space = Buffer.allocUnsafe(SPACE);
    return piece;
  }

  /** Makes room for so many bytes, and answers where it begins; the space may be another one afterwards. */
  #room(bytes: number): number {
    const from = this.#at;
    this.#at = from + bytes;
    if (this.#at > this.#space.length) {
      const space = Buffer.allocUnsafe(2 * this.#at);
      this.#space.copy(space, 0, 0, from);
      this.#space = space;
    }
    return from;
  }
}
