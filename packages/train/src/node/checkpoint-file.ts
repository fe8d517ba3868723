/**
 * A checkpoint in a file, which is there whole or not at all: it is written beside its place, brought to the disk, and renamed; the one
 * before is kept. At every moment one of the two is whole, so that a process may be killed, or the power fail, whenever.
 */
import { createHash } from "node:crypto";
import { access, constants, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { check, checkOptions, fail } from "@recurra/core/internal";
import type { Checkpoint, Snapshot } from "../checkpoint/checkpoint.ts";
import { decode, encode, partsOf } from "./safetensors.ts";

export interface CheckpointFileOptions {
  /** Save also every so many batches, and not only at the end of an epoch. */
  readonly every?: number;
}

/**
 * @param path of the file, in safetensors, with a checksum; the one before is in `PATH.previous`
 * @throws FILE_ERROR (when it loads or saves) where the file can't be read or written, or isn't whole; the one before stays as it is
 */
export function checkpointFile(path: string, options: CheckpointFileOptions = {}): Checkpoint {
  const who = "checkpointFile";
  check(typeof path === "string" && path !== "", who, "the path of a file", path);
  checkOptions(options, ["every"], who);
  const previous = `${path}.previous`;
  const unfinished = `${path}.unfinished`;
  return {
    ...options,
    async load() {
      // Between two renames there is the one before only.
      const found = (await read(path, `; remove it to go on from ${previous}`)) ?? (await read(previous));
      if (!found) await checkFolder(path);
      return found;
    },
    async save(snapshot) {
      const bytes = sealed(snapshot);
      try {
        await write(unfinished, bytes);
        await rename(path, previous).catch(unlessAbsent);
        await rename(unfinished, path);
        await syncFolder(dirname(path));
      } catch (error) {
        await rm(unfinished, { force: true }).catch(() => undefined);
        fail(
          "FILE_ERROR",
          `checkpoint ${path}: expected to write ${bytes.length} bytes, got ${messageOf(error)}; the one before is untouched`,
        );
      }
    },
  };
}

/** undefined where there is no file. */
async function read(path: string, advice = ""): Promise<Snapshot | undefined> {
  const who = `checkpoint ${path}`;
  const bytes = await readFile(path).catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    return fail("FILE_ERROR", `${who}: expected a file that can be read, got ${messageOf(error)}`);
  });
  return bytes && unsealed(bytes, who, advice);
}

/** Found out now, rather than when there is something to save. */
async function checkFolder(path: string): Promise<void> {
  await access(dirname(path), constants.W_OK).catch((error: unknown) =>
    fail(
      "FILE_ERROR",
      `checkpoint ${path}: expected a folder that can be written to, got ${messageOf(error)}`,
    ),
  );
}

/** With a checksum of what the file would be without it. */
function sealed({ tensors, metadata }: Snapshot): Buffer {
  return encode({ tensors, metadata: { ...metadata, sha256: checksum({ tensors, metadata }) } });
}

function unsealed(bytes: Buffer, who: string, advice: string): Snapshot {
  const { tensors, metadata } = decode(bytes, who, advice);
  const { sha256, ...rest } = metadata;
  const snapshot = { tensors, metadata: rest };
  const found = checksum(snapshot);
  if (sha256 !== found)
    fail(
      "FILE_ERROR",
      `${who}: expected contents of the checksum ${sha256}, got ${found}; the file was damaged${advice}`,
    );
  return snapshot;
}

function checksum(snapshot: Snapshot): string {
  const hash = createHash("sha256");
  for (const part of partsOf(snapshot)) hash.update(part);
  return hash.digest("hex");
}

async function write(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Names are on the disk when their folder is. Windows has no such call, and needs none. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const isAbsent = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "ENOENT";

function unlessAbsent(error: unknown): void {
  if (!isAbsent(error)) throw error;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
