// The program: `node dist/learn.js co2`.
import { command, thisMachine } from "./command.ts";

process.exitCode = await command(process.argv.slice(2), thisMachine());
