// The kit in a module worker.
import { browserOf, fromQuery, type Message } from "../job.ts";
import { addressOf } from "./address.ts";
import { runKit } from "./run.ts";

const worker = globalThis as unknown as {
  readonly location: { readonly search: string };
  readonly navigator: { readonly userAgent: string };
  postMessage(message: Message): void;
};

const { location, navigator } = worker;
await runKit(fromQuery(location.search), `a worker of ${browserOf(navigator)}`, addressOf, (message) =>
  worker.postMessage(message),
);
