// The kit in a page: on the page's own thread, or in a module worker where the address says so. The page shows what the command prints.
import { backends, inMode, needsEval } from "../backends.ts";
import { browserOf, fromQuery, labelOf, type Message } from "../job.ts";
import { Score } from "../score.ts";
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
  readonly document: { querySelector(name: "pre"): { append(text: string): void } | null };
  readonly Worker: new (url: string, options: { type: "module" }) => WorkerLike;
  /** Given by the program that opened the page; a person who opens it gives none. */
  readonly tell?: (message: Message) => Promise<void>;
};

const { search } = page.location;
const job = fromQuery(search);
const entry = backends[job.backend];
const score = new Score({
  label: entry ? labelOf(job, entry) : job.backend,
  needsEval: entry !== undefined && needsEval(inMode(entry, job.mode)),
  ci: false,
  print: (line) => page.document.querySelector("pre")?.append(`${line}\n`),
});

async function tell(message: Message): Promise<void> {
  score.hear(message);
  if (message.type === "end" || message.type === "failed") score.end();
  await page.tell?.(message);
}

if (new URLSearchParams(search).has("worker")) {
  const worker = new page.Worker(`worker.js${search}`, { type: "module" });
  worker.onmessage = ({ data }) => void tell(data);
  worker.onerror = ({ message }) =>
    void tell({ type: "failed", reason: message ?? "the worker's files can't be loaded" });
} else {
  await runKit(job, `a page of ${browserOf(page.navigator)}`, addressOf, tell);
}
