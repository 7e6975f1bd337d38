// Packer: writes numbers and words one after another, as the scripts read them.
//
// K1  What is packed is one piece of bytes of its own: the space that it was written in is used again.

const LONGEST_WORD = 0xffff;
const SHORT = 64;

/** Writes what one request asks. */
export class Packer {
  #space = Buffer.allocUnsafe(16 * 1024);
  #at = 0;

  /** Begins a piece; what another one left behind by a throw is forgotten. */
  begin(): this {
    this.#at = 0;
    return this;
  }

  byte(value: number): this {
    const at = this.#room(1);
    this.#space[at] = value;
    return this;
  }

  /** A whole number below 65,536. */
  count(value: number): this {
    this.#space.writeUInt16LE(value, this.#room(2));
    return this;
  }

  /** A whole number below 2³². */
  size(value: number): this {
    this.#space.writeUInt32LE(value, this.#room(4));
    return this;
  }

  number(value: number): this {
    this.#space.writeDoubleLE(value, this.#room(8));
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
    this.#space.set(bytes, this.#room(bytes.length));
    return this;
  }

  /** What `write` packs, and its length before it. */
  block(write: (packer: this) => void): this {
    const from = this.#room(4);
    write(this);
    this.#space.writeUInt32LE(this.#at - from - 4, from);
    return this;
  }

  /** The piece that has been packed (K1). */
  take(): Buffer {
    const piece = Buffer.allocUnsafe(this.#at);
    this.#space.copy(piece, 0, 0, this.#at);
    return piece;
  }

  /** Makes room for so many bytes, and answers where it begins. */
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

/** The one packer: nothing is awaited between `begin` and `take`. */
export const packer = new Packer();
