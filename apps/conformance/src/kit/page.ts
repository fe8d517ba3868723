// The kit in a page: on the page's own thread, or in a module worker where the address says so.
import { browserOf, fromQuery, type Message } from "../job.ts";
import { addressOf } from "./address.ts";
import { runKit } from "./run.ts";

interface WorkerLike {
  onmessage: (event: { readonly data: Message }) => void;
  onerror: (event: { readonly message?: string }) => void;
}

/** The little of a page that's used here. With the DOM's own types every file of the repository would have them. */
const page = globalThis as unknown as {
  readonly location: { readonly search: string };
  readonly navigator: { readonly userAgent: string };
  readonly Worker: new (url: string, options: { type: "module" }) => WorkerLike;
  /** Given by the program that opened the page. */
  readonly tell: (message: Message) => Promise<void>;
};

const { search } = page.location;
if (new URLSearchParams(search).has("worker")) {
  const worker = new page.Worker(`worker.js${search}`, { type: "module" });
  worker.onmessage = ({ data }) => void page.tell(data);
  worker.onerror = ({ message }) =>
    void page.tell({ type: "failed", reason: message ?? "the worker's files can't be loaded" });
} else {
  await runKit(fromQuery(search), `a page of ${browserOf(page.navigator)}`, addressOf, (message) =>
    page.tell(message),
  );
}
