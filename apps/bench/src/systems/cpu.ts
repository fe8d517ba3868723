import { openCpu } from "@recurra/backend-cpu";
import { recurra } from "./recurra.ts";

export const cpu = recurra(openCpu);
