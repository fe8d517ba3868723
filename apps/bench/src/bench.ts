// The program behind `npm run bench` and `npm start`.
import { command, thisMachine } from "./command.ts";

process.exitCode = await command(process.argv.slice(2), thisMachine());
