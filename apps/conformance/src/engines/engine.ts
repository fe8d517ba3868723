// What an engine is to the command: something that runs a job and tells how it goes.
import type { Entry } from "../backends.ts";
import type { Job, Tell } from "../job.ts";

/**
 * Resolves when the job has ended or said that it failed.
 * @throws Missing where this machine hasn't got the engine
 * @throws Error where the engine died on the way
 */
export type Engine = (job: Job, entry: Entry, tell: Tell) => Promise<void>;

/** The engine isn't here. The message says how to get it. */
export class Missing extends Error {}
