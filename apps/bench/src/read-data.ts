// Reads fixtures from the disk; data.ts makes what needs none.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Data, makeData } from "./data.ts";
import type { Fixture } from "./numpy-class.ts";
import { benchFolder } from "./paths.ts";
import type { Kind, Workload } from "./workloads.ts";

export function readFixture(name: string): Fixture {
  return JSON.parse(readFileSync(join(benchFolder, "fixtures", name), "utf8")) as Fixture;
}

export function readData(workload: Workload, kind: Kind): Data {
  return makeData(workload, kind, workload.fixture === undefined ? undefined : readFixture(workload.fixture));
}
