// Renders audio through the LSTM in a worklet of headless Chromium, and counts what our code allocates there meanwhile: by sampling
// of the worklet's own heap, over the protocol of the developer's tools.
import type { CDPSession } from "playwright-core";
import { inPage } from "../engines/in-page.ts";
import { workletFolder } from "../paths.ts";
import type { Rendering } from "./page.ts";

export interface Way {
  /** Whether the module was made ahead of time, or is compiled in the worklet. */
  readonly prebuilt: boolean;
  /** Whether each step returns an array of its own, which must be seen. */
  readonly fresh: boolean;
}

export interface Rendered extends Awaited<ReturnType<Rendering["finish"]>> {
  /** About how many bytes our code has allocated, collected ones included. */
  readonly allocated: number;
}

/** 45,000 blocks: V8 has optimized all of a step by then (after 11,000 it hadn't), and optimized code allocates no numbers. */
const warmSeconds = 120;
const seconds = 60;
/** Bytes between samples, on average: one object of 12 bytes a block would be some 200 samples in a minute. */
const samplingInterval = 1024;

export const renderInWorklet = (way: Way): Promise<Rendered> =>
  inPage(workletFolder, { scriptSources: ["'wasm-unsafe-eval'"] }, async (page, url) => {
    const session = await page.context().newCDPSession(page);
    const worklet = await workletOf(session);
    await page.goto(url);
    await page.waitForFunction("globalThis.rendering");
    await page.evaluate(`rendering.warm(${JSON.stringify({ ...way, warmSeconds, seconds })})`);
    const { send } = await worklet();
    await send("HeapProfiler.enable");
    await send("HeapProfiler.startSampling", {
      samplingInterval,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    const finished = await page.evaluate<Awaited<ReturnType<Rendering["finish"]>>>("rendering.finish()");
    const { profile } = (await send("HeapProfiler.stopSampling")) as { profile: { head: Sampled } };
    return { ...finished, allocated: bytesOf(profile.head, url) };
  });

interface Sampled {
  readonly callFrame: { readonly url: string };
  readonly selfSize: number;
  readonly children: readonly Sampled[];
}

/** What functions from this address have allocated, and what they have called. */
function bytesOf({ callFrame, selfSize, children }: Sampled, url: string, ours = false): number {
  const own = ours || callFrame.url.startsWith(url);
  return children.reduce((sum, child) => sum + bytesOf(child, url, own), own ? selfSize : 0);
}

type Send = (method: string, parameters?: object) => Promise<unknown>;

/** Finds the page's worklet, when there is one. Its messages go through the page's session. */
async function workletOf(session: CDPSession): Promise<() => Promise<{ readonly send: Send }>> {
  const found = new Promise<string>((resolve) => {
    session.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => {
      if (targetInfo.type.includes("worklet")) resolve(sessionId);
    });
  });
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  session.on("Target.receivedMessageFromTarget", ({ message }) => {
    const { id, result, error } = JSON.parse(message) as {
      id?: number;
      result?: unknown;
      error?: { message: string };
    };
    const call = waiting.get(id ?? -1);
    if (error) call?.reject(new Error(error.message));
    else call?.resolve(result);
  });
  await session.send("Target.setAutoAttach", {
    autoAttach: true,
    waitForDebuggerOnStart: false,
    flatten: false,
  });
  return async () => {
    const sessionId = await found;
    const send: Send = (method, params = {}) =>
      new Promise((resolve, reject) => {
        const id = waiting.size;
        waiting.set(id, { resolve, reject });
        session
          .send("Target.sendMessageToTarget", { sessionId, message: JSON.stringify({ id, method, params }) })
          .catch(reject);
      });
    return { send };
  };
}
