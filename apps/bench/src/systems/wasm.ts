import { openWasm } from "@recurra/backend-wasm";
import { recurra } from "./recurra.ts";

export const wasm = recurra(openWasm);
