// A page that trains, on its own thread or in a worker, and counts the turns that its own event loop has meanwhile.
import { train, type Trained } from "./task.ts";

/** The little of a page that's used here; see kit/page.ts. */
const page = globalThis as unknown as {
  readonly Worker: new (
    url: string,
    options: { type: "module" },
  ) => {
    onmessage: (event: { readonly data: Trained }) => void;
    onerror: (event: { readonly message?: string }) => void;
  };
  readonly setTimeout: (then: () => void) => void;
  trainIn: TrainIn;
};

/** What the page answers. */
export type TrainIn = (place: "page" | "worker") => Promise<Trained & { readonly turns: number }>;

const inWorker = (): Promise<Trained> =>
  new Promise((resolve, reject) => {
    const worker = new page.Worker("worker.js", { type: "module" });
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message ?? "the worker's files can't be loaded"));
  });

page.trainIn = async (place) => {
  let turns = 0;
  let on = true;
  const count = (): void => {
    turns++;
    if (on) page.setTimeout(count);
  };
  page.setTimeout(count);
  const trained = await (place === "worker" ? inWorker() : train());
  on = false;
  return { ...trained, turns };
};
