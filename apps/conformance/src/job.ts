// What is to be tested, and what an engine reports of it: the words that processes, pages and workers exchange.
import type { Outcome } from "@recurra/conformance";
import type { Entry, Way } from "./backends.ts";

export interface Job extends Way {
  readonly backend: string;
}

/** The backend with its mode and variant, as the results call it: "gpujs(webgl2)". */
export function labelOf({ backend, mode, variant }: Job, { called }: Entry): string {
  const details = [mode, variant && (called?.[variant] ?? variant)].filter((word) => word !== undefined);
  return details.length > 0 ? `${backend}(${details.join(",")})` : backend;
}

/** A start, an outcome for each law in turn, an end; or, at any time, a failure as the last word. */
export type Message =
  | {
      readonly type: "start";
      /** The engine's own name and version. */
      readonly engine: string;
      /** Whether code can be made from strings there. */
      readonly evalAllowed: boolean;
      readonly laws: readonly string[];
    }
  | { readonly type: "outcome"; readonly outcome: Outcome }
  | { readonly type: "end" }
  | { readonly type: "failed"; readonly reason: string };

export type Tell = (message: Message) => void | Promise<void>;

/** For a page's address. */
export const toQuery = ({ backend, mode, variant }: Job): string =>
  new URLSearchParams({
    backend,
    ...(mode !== undefined && { mode }),
    ...(variant !== undefined && { variant }),
  }).toString();

export function fromQuery(query: string): Job {
  const words = new URLSearchParams(query);
  return {
    backend: words.get("backend") ?? "",
    mode: words.get("mode") ?? undefined,
    variant: words.get("variant") ?? undefined,
  };
}

/** Of all that a browser calls itself, what it is: "HeadlessChrome/156.0.0.0". */
export const browserOf = ({ userAgent }: { readonly userAgent: string }): string =>
  /\S*Chrome\S*/.exec(userAgent)?.[0] ?? userAgent;
