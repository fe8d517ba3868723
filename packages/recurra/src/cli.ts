import { answer } from "./command.ts";

const { text, code } = answer(process.argv.slice(2));
(code === 0 ? process.stdout : process.stderr).write(`${text}\n`);
process.exitCode = code;
