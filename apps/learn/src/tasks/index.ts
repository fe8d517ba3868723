// The tasks by name: add yours here.
import type { Task } from "../task.ts";
import { adding } from "./adding.ts";
import { co2 } from "./co2.ts";
import { mnistRows } from "./mnist-rows.ts";
import { reber } from "./reber.ts";
import { text } from "./text.ts";

export const tasks: Readonly<Record<string, Task>> = { co2, "mnist-rows": mnistRows, text, adding, reber };
