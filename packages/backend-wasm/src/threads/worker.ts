/**
 * Workers: each has the modules' instances over the shared memory, and waits there for commands, since who gives them can't wait for
 * messages to arrive. Plain JavaScript as text, which no bundler, loader or coverage tool rewrites.
 */
import { control, CONTROL_WORDS } from "../engine/barrier.ts";

/** What a worker is started with. */
export interface WorkerData {
  readonly memory: object;
  /** Address of the control block. */
  readonly control: number;
  readonly thread: number;
  /** A module made ahead of time: its instance 0. */
  readonly module?: object;
}

/** Commands, by number. Arguments follow in the control block. */
export const STOP = 0;
/** The instance's number, the address of the module's bytes, and how many. */
export const MODULE = 1;
/** The instance's number, spans from, up to, and then each thread's sections. */
export const TOUR = 2;
/** Where each thread's word is, behind a tour's arguments. */
export const FIRST_THREAD = 4;
/** Instances that a worker keeps. */
export const KEPT = 64;

/** Looks at the sequence before it sleeps: some tenths of a millisecond, so that calls in a row find it awake. */
const LOOKS = 30_000;

const { generation, failed, sequence, idle, done, waiting, command } = control;

const workerText = `
const serve = ({ memory, control, thread, module }, say) => {
  const words = new Int32Array(memory.buffer, control, ${CONTROL_WORDS});
  const instances = [];
  const make = (module) => new WebAssembly.Instance(module, { m: { m: memory } }).exports;
  if (module) instances[0] = make(module);
  let seen = Atomics.load(words, ${sequence});
  say("ready");
  for (;;) {
    for (let i = 0; i < ${LOOKS} && Atomics.load(words, ${sequence}) === seen; i++);
    while (Atomics.load(words, ${sequence}) === seen) {
      Atomics.add(words, ${idle}, 1);
      Atomics.wait(words, ${sequence}, seen);
      Atomics.sub(words, ${idle}, 1);
    }
    seen = Atomics.load(words, ${sequence});
    const [op, at, from, to] = words.subarray(${command}, ${command + 4});
    if (op === ${STOP}) return;
    try {
      if (op === ${TOUR}) instances[at].tour(from, to, words[${command + FIRST_THREAD} + thread]);
      else if (op === ${MODULE}) {
        memory.grow(0); // brings the view of the memory up to date
        const bytes = new Uint8Array(memory.buffer, from >>> 0, to).slice();
        instances[at] = make(new WebAssembly.Module(bytes));
      } else throw new Error("unknown command");
    } catch (error) {
      Atomics.store(words, ${failed}, 1);
      Atomics.notify(words, ${generation});
      say(String(error));
    }
    Atomics.add(words, ${done}, 1);
    if (Atomics.load(words, ${waiting})) Atomics.notify(words, ${done});
  }
};
`;

const inNode = `${workerText}
const { parentPort, workerData } = require("node:worker_threads");
serve(workerData, (what) => parentPort.postMessage(what));`;
const inPage = `${workerText}
onmessage = ({ data }) => { serve(data, (what) => postMessage(what)); close(); };`;

/** A worker that has been started. */
export interface Handle {
  terminate(): void;
}

/** What a worker tells: "ready", or what went wrong. */
type Listener = (what: string) => void;

interface NodeWorker {
  on(event: "message" | "error" | "exit", listener: (what: unknown) => void): void;
  unref(): void;
  terminate(): unknown;
}
interface PageWorker {
  onmessage: (event: { readonly data: unknown }) => void;
  onerror: (event: { readonly message?: string }) => void;
  postMessage(data: unknown): void;
  terminate(): void;
}
interface NodeThreads {
  readonly Worker: new (text: string, options: object) => NodeWorker;
}
interface Platform {
  readonly Worker?: new (address: string) => PageWorker;
  readonly Blob?: new (parts: readonly string[], options: object) => object;
  readonly URL?: { createObjectURL(blob: object): string; revokeObjectURL(address: string): void };
  readonly process?: { getBuiltinModule?(name: string): NodeThreads | undefined };
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}
const here = globalThis as unknown as Platform;

function start(data: WorkerData, listener: Listener): Handle {
  const threads = here.process?.getBuiltinModule?.("node:worker_threads");
  if (here.Worker && here.Blob && here.URL) {
    const address = here.URL.createObjectURL(new here.Blob([inPage], { type: "text/javascript" }));
    const worker = new here.Worker(address);
    worker.onmessage = (event) => {
      here.URL?.revokeObjectURL(address);
      listener(String(event.data));
    };
    worker.onerror = ({ message = "a worker can't be started" }) => listener(message);
    worker.postMessage(data);
    return worker;
  }
  if (!threads) throw new Error("this platform has no workers");
  const worker = new threads.Worker(inNode, { eval: true, workerData: data, execArgv: [] });
  worker.on("message", (what) => listener(String(what)));
  worker.on("error", (error) => listener(String(error)));
  worker.on("exit", () => listener("it ended"));
  // It doesn't keep a program alive.
  worker.unref();
  return worker;
}

/**
 * Start workers, and wait until all are ready, `patience` ms at most.
 * @param lost is told when one fails later on
 * @throws Error with the reason
 */
export async function startWorkers(
  all: readonly WorkerData[],
  patience: number,
  lost: Listener,
): Promise<Handle[]> {
  const handles: Handle[] = [];
  let timer: unknown;
  const late = new Promise<never>((_, reject) => {
    timer = here.setTimeout(() => reject(new Error(`workers weren't ready after ${patience / 1000} s`)), patience);
  }); // prettier-ignore
  try {
    const ready = all.map(
      (data) =>
        new Promise<void>((resolve, reject) => {
          handles.push(
            start(data, (what) => {
              if (what === "ready") resolve();
              reject(new Error(what));
              if (what !== "ready") lost(what);
            }),
          );
        }),
    );
    await Promise.race([Promise.all(ready), late]);
    return handles;
  } catch (error) {
    for (const handle of handles) handle.terminate();
    throw error;
  } finally {
    here.clearTimeout(timer);
  }
}
