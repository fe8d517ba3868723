// Questions to a program and its answers, as torch/trainer.py writes them: four bytes with the length of a line of JSON, the
// line, and the bytes of the tensors that it lists.
import type { Readable, Writable } from "node:stream";
import type { IdTensor, Tensor } from "@recurra/core";

type Message = Readonly<Record<string, unknown>>;
interface Answer {
  readonly message: Message;
  readonly tensors: Readonly<Record<string, Tensor>>;
}

export class Pipe {
  readonly #to: Writable;
  readonly #chunks: AsyncIterator<Buffer, undefined>;
  #held: Uint8Array = new Uint8Array();
  /** Questions are answered one after another. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(to: Writable, from: Readable) {
    this.#to = to;
    this.#chunks = from[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
    // What can't be written shows as an answer that doesn't come.
    to.on("error", () => {});
  }

  /** Integers go as int64, which PyTorch wants of ids. */
  ask(message: Message, tensors: Readonly<Record<string, Tensor | IdTensor>>): Promise<Answer> {
    const answer = this.#last.then(() => {
      this.#send(message, tensors);
      return this.#receive();
    });
    this.#last = answer.catch(() => {});
    return answer;
  }

  #send(message: Message, tensors: Readonly<Record<string, Tensor | IdTensor>>): void {
    const bodies = Object.values(tensors).map(({ data }) =>
      data instanceof Float32Array ? data : BigInt64Array.from(data, (id) => BigInt(id)),
    );
    const list = Object.entries(tensors).map(([name, { shape, data }]) => [
      name,
      shape,
      data instanceof Float32Array ? "float32" : "int64",
    ]);
    const line = Buffer.from(JSON.stringify({ ...message, tensors: list }));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(line.length);
    const bytes = bodies.map(({ buffer, byteOffset, byteLength }) =>
      Buffer.from(buffer, byteOffset, byteLength),
    );
    this.#to.write(Buffer.concat([length, line, ...bytes]));
  }

  async #receive(): Promise<Answer> {
    const length = (await this.#take(4)).readUInt32LE();
    const line = (await this.#take(length)).toString();
    const { tensors: list, ...message } = JSON.parse(line) as Message & {
      readonly tensors: readonly (readonly [name: string, shape: readonly number[]])[];
    };
    const tensors: Record<string, Tensor> = {};
    for (const [name, shape] of list) {
      const bytes = await this.#take(4 * shape.reduce((product, size) => product * size, 1));
      tensors[name] = { shape, data: new Float32Array(new Uint8Array(bytes).buffer) };
    }
    return { message, tensors };
  }

  async #take(length: number): Promise<Buffer> {
    const parts: Uint8Array[] = [this.#held];
    let have = this.#held.length;
    while (have < length) {
      const { value } = await this.#chunks.next();
      if (!value) throw new Error("the program ended without an answer");
      parts.push(value);
      have += value.length;
    }
    const all = Buffer.concat(parts);
    this.#held = all.subarray(length);
    return all.subarray(0, length);
  }
}
