// The program: `node dist/conformance.js --backend cpu`.
import { command, thisMachine } from "./command.ts";

process.exitCode = await command(process.argv.slice(2), thisMachine());
