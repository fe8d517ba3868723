// What the parent and a system's process say to each other.
import type { Shown } from "./system.ts";
import type { Round } from "./timing.ts";
import type { Kind } from "./workloads.ts";

export type Request =
  | { readonly type: "prepare"; readonly system: string; readonly workload: string; readonly kind: Kind }
  | { readonly type: "round"; readonly ms: number };

export type Answer =
  | { readonly type: "shown"; readonly shown: Shown }
  | { readonly type: "round"; readonly round: Round }
  | { readonly type: "unable"; readonly reason: string }
  | { readonly type: "error"; readonly message: string };
