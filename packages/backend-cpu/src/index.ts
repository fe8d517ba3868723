export { openCpu } from "./cpu.ts";
