// Several commands may be started at once on a fresh clone; only one of them may install and build. A folder is the
// lock, since `mkdir` either makes it or fails. It works before anything is installed, so it can't be a library.
import { mkdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Long enough for any holder to have written its id, and for any waiter to have removed a dead lock. */
const GRACE_MS = 5_000;

/**
 * Runs `work` while no other process does so under the same `path`. A lock whose holder is dead is taken over.
 * @template T
 * @param {string} path the folder to make; its parents are made too
 * @param {() => T | Promise<T>} work
 * @param {() => void} [onWait] called once if another process holds the lock
 * @returns {Promise<T>}
 */
export async function withLock(path, work, onWait = () => {}) {
  mkdirSync(dirname(path), { recursive: true });
  for (let waited = false; !tryMkdir(path); waited = true) {
    if (!waited) onWait();
    if (isDead(path)) remove(path);
    await sleep(100);
  }
  try {
    writeFileSync(join(path, "pid"), String(process.pid));
    return await work();
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

/** @param {string} path */
function tryMkdir(path) {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return false;
    throw error;
  }
}

/** @param {string} path */
function isDead(path) {
  try {
    const pid = Number(readFileSync(join(path, "pid"), "utf8"));
    // An empty file is one that is being written.
    if (pid > 0) return !isAlive(pid);
  } catch {
    // No id yet, or the lock has just gone.
  }
  return olderThanGrace(path);
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}

/** @param {string} path */
function olderThanGrace(path) {
  const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() };
  return Date.now() - mtimeMs > GRACE_MS;
}

/**
 * Removes a dead lock, under a lock of its own: of two waiters that saw the same dead lock, the slower one would
 * otherwise remove the new lock of the faster one.
 * @param {string} path
 */
function remove(path) {
  const removing = `${path}.removing`;
  if (!tryMkdir(removing)) {
    if (olderThanGrace(removing)) rmSync(removing, { recursive: true, force: true });
    return;
  }
  try {
    if (isDead(path)) rmSync(path, { recursive: true, force: true });
  } finally {
    rmdirSync(removing);
  }
}
