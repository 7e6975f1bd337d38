// Byte writer: composes rows in a scratch of its own, so that a row costs no allocation.

/** A row: a scratch, of which the part from `start` to `end` counts. lmdb understands that. */
export interface Row extends Buffer {
  start: number;
  end: number;
}

/** Writes numbers and texts one after the other. */
export class ByteWriter {
  #bytes = newScratch(64 * 1024);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  /** Begins a row. */
  start(): void {
    this.#at = 0;
  }

  /** The row; valid until the next one begins. */
  written(): Row {
    this.#bytes.end = this.#at;
    return this.#bytes;
  }

  uint8(value: number): void {
    this.#view.setUint8(this.#room(1), value);
  }

  uint16(value: number): void {
    this.#view.setUint16(this.#room(2), value);
  }

  uint32(value: number): void {
    this.#view.setUint32(this.#room(4), value);
  }

  /** Up to 2 ** 48 − 1. */
  uint48(value: number): void {
    this.uint16(Math.floor(value / 2 ** 32));
    this.uint32(value);
  }

  float64(value: number): void {
    this.#view.setFloat64(this.#room(8), value);
  }

  /** A text with its length before it, in one byte or in five. */
  text(text: string): void {
    const { length } = text;
    const lengthAt = this.#room(5 + length * 3);
    const start = lengthAt + (length < 80 ? 1 : 5); // below 80 characters there are fewer than 255 bytes
    const bytes = this.#write(text, start);
    if (length < 80) this.#bytes[lengthAt] = bytes;
    else {
      this.#bytes[lengthAt] = 255;
      this.#view.setUint32(lengthAt + 1, bytes);
    }
    this.#at = start + bytes;
  }

  /** A text that ends with the row. */
  lastText(text: string): void {
    const start = this.#room(text.length * 3);
    this.#at = start + this.#bytes.write(text, start, 'utf8');
  }

  bytes(bytes: Uint8Array): void {
    const start = this.#room(bytes.length);
    this.#bytes.set(bytes, start);
  }

  /** Most texts are short and plain, and sooner written here than by Node. */
  #write(text: string, start: number): number {
    const bytes = this.#bytes;
    for (let i = 0; i < text.length; i += 1) {
      const code = text.charCodeAt(i);
      if (code > 127 || i > 80) return bytes.write(text, start, 'utf8');
      bytes[start + i] = code;
    }
    return text.length;
  }

  /** Where so many bytes may be written. */
  #room(bytes: number): number {
    const start = this.#at;
    this.#at += bytes;
    if (this.#at <= this.#bytes.length) return start;
    const larger = newScratch(Math.max(this.#bytes.length * 2, this.#at));
    this.#bytes.copy(larger, 0, 0, start);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
    return start;
  }
}

/** `address` is where lmdb notes what it has found out. Without it, a scratch would change its shape when it is first written,
 *  and the compiler would throw away, in the first burst of a process, what it has made of these functions. */
function newScratch(size: number): Row {
  return Object.assign(Buffer.allocUnsafeSlow(size), { start: 0, end: 0, address: NaN });
}
