// The training in a module worker.
import { train } from "./task.ts";

(globalThis as unknown as { postMessage(message: unknown): void }).postMessage(await train());
