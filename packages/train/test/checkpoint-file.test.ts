import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Snapshot } from "../src/checkpoint/checkpoint.ts";
import { checkpointFile } from "../src/node.ts";
import { decode, encode } from "../src/node/safetensors.ts";
import { derived } from "../src/random.ts";
import { refuses } from "./support/refuses.ts";

vi.mock("node:fs/promises", async (original) => ({ ...(await original<typeof fs>()) }));

const snapshot = (n: number): Snapshot => ({
  tensors: {
    "parameters/0.W.i": { shape: [2, 3], data: Float32Array.of(n, -0, 1e-45, NaN, Infinity, 3.14) },
    "moments/m.0": { shape: [0], data: new Float32Array() },
    "best/é": { shape: [], data: Float32Array.of(n) },
  },
  metadata: { format: "x", run: JSON.stringify({ n, text: "ü\n" }) },
});

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), "recurra-checkpoint-"));
  path = join(folder, "run.safetensors");
});
afterEach(async () => {
  vi.restoreAllMocks();
  await fs.rm(folder, { recursive: true });
});

describe("a checkpoint in a file", () => {
  it("gives back what was saved last, and keeps the one before", async () => {
    const checkpoint = checkpointFile(path);
    expect(await checkpoint.load()).toBe(undefined);
    for (let n = 0; n < 3; n++) {
      await checkpoint.save(snapshot(n));
      expect(await checkpointFile(path).load()).toEqual(snapshot(n));
    }
    expect(await checkpointFile(`${path}.previous`).load()).toEqual(snapshot(1));
    expect((await fs.readdir(folder)).sort()).toEqual(["run.safetensors", "run.safetensors.previous"]);
  });

  it("goes on from the one before where an end came between two renames", async () => {
    await checkpointFile(path).save(snapshot(0));
    await fs.rename(path, `${path}.previous`);
    await fs.writeFile(`${path}.unfinished`, "half");
    expect(await checkpointFile(path).load()).toEqual(snapshot(0));
    await checkpointFile(path).save(snapshot(1));
    expect(await checkpointFile(path).load()).toEqual(snapshot(1));
    expect((await fs.readdir(folder)).length).toBe(2);
  });

  it("is refused when one bit of it is another, or its end is missing; the one before still loads", async () => {
    const checkpoint = checkpointFile(path);
    await checkpoint.save(snapshot(0));
    await checkpoint.save(snapshot(1));
    const whole = await fs.readFile(path);
    const damaged: Buffer[] = [];
    for (let i = 0; i < whole.length; i++) {
      damaged.push(Buffer.from(whole.subarray(0, i)));
      const flipped = Buffer.from(whole);
      flipped[i] = (flipped[i] as number) ^ (1 << (i % 8));
      damaged.push(flipped);
    }
    damaged.push(Buffer.concat([whole, Buffer.alloc(8)]));
    for (const bytes of damaged) {
      await fs.writeFile(path, bytes);
      await refuses(
        () => checkpoint.load(),
        "FILE_ERROR",
        /run\.safetensors: .* (cut short|damaged).*; remove it to go on from .*run.safetensors.previous/,
      );
    }
    await fs.rm(path);
    expect(await checkpoint.load()).toEqual(snapshot(0));
  });

  it("refuses hostile headers quickly", () => {
    const file = (length: bigint, header: string, values = 0) => {
      const bytes = Buffer.alloc(8 + header.length + values);
      bytes.writeBigUInt64LE(length);
      bytes.write(header, 8);
      return bytes;
    };
    const of = (header: object, values = 0) =>
      file(BigInt(JSON.stringify(header).length), JSON.stringify(header), values);
    const entry = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
    expect(decode(of({ a: entry }, 4), "x").tensors.a?.shape).toEqual([1]);
    for (const bytes of [
      Buffer.alloc(0),
      file(2n ** 63n, "{}"),
      file(2n, "[]"),
      file(4n, "null"),
      of({ a: entry }, 3),
      of({ a: entry }, 5),
      of({ a: { ...entry, shape: [2 ** 40, 2 ** 40] } }, 4),
      of({ a: { ...entry, shape: [2 ** 40], data_offsets: [0, 2 ** 42] } }, 4),
      of({ a: { ...entry, data_offsets: [4, 8] } }, 8),
      of({ a: { ...entry, data_offsets: [0, -4] } }, 4),
      of({ a: { ...entry, dtype: "F64" } }, 8),
      of({ a: entry, b: entry }, 4),
      of({ a: null }),
      of({ __metadata__: { a: 1 } }),
    ])
      expect(() => decode(bytes, "x"), bytes.toString("latin1")).toThrow(
        /^x: expected .* got .* \(FILE_ERROR\)$/,
      );
  });

  it("has the layout of safetensors", () => {
    const bytes = encode({
      tensors: { a: { shape: [1, 2], data: Float32Array.of(1, 2) } },
      metadata: { k: "v" },
    });
    const length = Number(bytes.readBigUInt64LE());
    expect(length % 8).toBe(0);
    expect(JSON.parse(bytes.toString("utf8", 8, 8 + length))).toEqual({
      __metadata__: { k: "v" },
      a: { dtype: "F32", shape: [1, 2], data_offsets: [0, 8] },
    });
    expect([bytes.readFloatLE(8 + length), bytes.readFloatLE(12 + length), bytes.length]).toEqual([
      1,
      2,
      16 + length,
    ]);
  });

  it("that no disk has room for gives an error, leaves nothing behind, and the one before loads", async () => {
    const checkpoint = checkpointFile(path);
    await checkpoint.save(snapshot(0));
    const { open } = await vi.importActual<typeof fs>("node:fs/promises");
    for (const fails of ["writeFile", "sync", "close"] as const) {
      vi.spyOn(fs, "open").mockImplementation(async (...given) => {
        const file = await open(...given);
        const { [fails]: succeed } = file;
        file[fails] = async () => {
          if (fails === "writeFile") await file.write("half");
          else await succeed.call(file, "");
          throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
        };
        return file;
      });
      await refuses(
        () => checkpoint.save(snapshot(1)),
        "FILE_ERROR",
        /run\.safetensors: .* bytes, got ENOSPC: no space left/,
      );
      vi.restoreAllMocks();
      expect(await fs.readdir(folder)).toEqual(["run.safetensors"]);
      expect(await checkpoint.load()).toEqual(snapshot(0));
    }
    await checkpoint.save(snapshot(2));
    expect(await checkpoint.load()).toEqual(snapshot(2));
  });

  it("whose folder isn't there gives an error", async () => {
    const checkpoint = checkpointFile(join(folder, "none", "run"));
    await refuses(() => checkpoint.save(snapshot(0)), "FILE_ERROR", /ENOENT/);
    await fs.mkdir(join(folder, "a folder"));
    await refuses(() => checkpointFile(join(folder, "a folder")).load(), "FILE_ERROR", /EISDIR/);
  });

  it("is found whole whenever the writing is cut off", async () => {
    // Every call of the file system in a save may be the last.
    const { open, rename } = await vi.importActual<typeof fs>("node:fs/promises");
    const draw = derived(1);
    for (let last = 0; last < 6; last++) {
      await checkpointFile(path).save(snapshot(0));
      await checkpointFile(path).save(snapshot(1));
      let calls = 0;
      const stop = () => {
        if (calls++ === last) throw new Error("the end");
      };
      vi.spyOn(fs, "open").mockImplementation(async (...given) => {
        stop();
        const file = await open(...given);
        const write = file.writeFile.bind(file);
        file.writeFile = async (data) => {
          if (calls === last)
            await write((data as Buffer).subarray(0, Math.floor(draw() * (data as Buffer).length)));
          stop();
          await write(data);
        };
        return file;
      });
      vi.spyOn(fs, "rename").mockImplementation(async (...given) => {
        stop();
        await rename(...given);
      });
      // A process that is gone cleans nothing up.
      vi.spyOn(fs, "rm").mockImplementation(async () => {});
      const saved = await checkpointFile(path)
        .save(snapshot(2))
        .then(
          () => true,
          () => false,
        );
      vi.restoreAllMocks();
      const found = await checkpointFile(path).load();
      expect(saved).toBe(last >= 5);
      expect([snapshot(1), snapshot(2)]).toContainEqual(found);
      expect(existsSync(`${path}.unfinished`)).toBe(last > 0 && last < 4);
      await fs.rm(`${path}.unfinished`, { force: true });
    }
  });

  it("has a checksum that is of what the file would be without it", async () => {
    await checkpointFile(path).save(snapshot(4));
    const { tensors, metadata } = decode(await fs.readFile(path), "x");
    const { sha256, ...rest } = metadata;
    expect(sha256).toBe(
      createHash("sha256")
        .update(encode({ tensors, metadata: rest }))
        .digest("hex"),
    );
  });
});
