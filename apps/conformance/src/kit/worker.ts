// The kit in a module worker.
import { browserOf, fromQuery, type Message } from "../job.ts";
import { runKit } from "./run.ts";

const worker = globalThis as unknown as {
  readonly location: { readonly search: string };
  readonly navigator: { readonly userAgent: string };
  postMessage(message: Message): void;
};

const { location, navigator } = worker;
await runKit(fromQuery(location.search), `a worker of ${browserOf(navigator)}`, (message) =>
  worker.postMessage(message),
);
