// The README's examples, taken from the page itself: type-checked, run in plain Node, and run as a Vite bundle.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import { assert, check } from "./check.ts";
import { bundle } from "./bundle.ts";
import { run } from "./process.ts";

/** What the example leaves to its reader: one frame in, and room for what comes out. */
const before = "const frame = new Float32Array(10).fill(0.5);\nconst into = new Float32Array(5);\n";
/** Proof that it ran. */
const after = 'console.log(JSON.stringify([output.shape, trace["0.f"]?.shape, Array.from(into)]));\n';

/** The page's own cell needs a network around it. */
const beforeCell = `
import { cell, createModel, recurrent, sigmoid, stack, tanh } from "@recurra/core";
import { openCpu } from "@recurra/backend-cpu";
`;
const afterCell = `
const model = createModel(stack(recurrent(ugrnn, { inputSize: 3, hiddenSize: 4 })), openCpu(), { seed: 1 });
const { output } = model.runSync({ shape: [5, 2, 3], data: new Float32Array(30).fill(0.5) });
console.log(JSON.stringify(output.shape));
`;

/** @param folder where the packages are installed */
export async function checkReadme(root: string, folder: string): Promise<void> {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const blocks = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text]) => text ?? "");
  const first = (text: string): string => {
    const found = blocks.find((block) => block.includes(text));
    assert(found !== undefined, `README.md has no ts block with ${text}`);
    return found;
  };
  const example = before + first('from "@recurra/core"') + after;
  await checkExample(folder, "README's example", "example", example);
  await checkExample(folder, "README's example on WASM", "example-wasm", onWasm(example));
  await checkCell(folder, beforeCell + first("cell({") + afterCell);
}

/** What the page says that one may write instead. */
function onWasm(example: string): string {
  const replace = (text: string, by: string, found: string): string => {
    assert(text.includes(found), `README's example: expected ${found}`);
    return text.replace(found, by);
  };
  assert(example.includes("or: await openWasm()"), "README's example doesn't offer await openWasm()");
  const imported = replace(
    example,
    'import { openWasm } from "@recurra/backend-wasm";',
    'import { openCpu } from "@recurra/backend-cpu";',
  );
  return replace(imported, "network, await openWasm()", "network, openCpu()");
}

async function checkExample(folder: string, who: string, name: string, source: string): Promise<void> {
  await check(`${who}: types`, () => typeCheck(folder, name, source));
  transpile(folder, name, source);
  await check(`${who}: plain Node`, async () => {
    judgeOutput(await run(folder, process.execPath, `${name}.js`));
  });
  await check(`${who}: Vite bundle`, async () => {
    const { files } = await bundle(folder, `${name}.js`);
    // Away from node_modules, so that whatever the bundle still imports isn't found.
    const away = join(folder, "..", `${name}-bundle`);
    for (const [file, code] of files) {
      mkdirSync(dirname(join(away, file)), { recursive: true });
      writeFileSync(join(away, file), code);
    }
    writeFileSync(join(away, "package.json"), '{ "type": "module" }');
    const [entry = ""] = files.keys();
    judgeOutput(await run(away, process.execPath, entry));
  });
}

async function checkCell(folder: string, source: string): Promise<void> {
  await check("README's own cell: types", () => typeCheck(folder, "own-cell", source));
  transpile(folder, "own-cell", source);
  await check("README's own cell: plain Node", async () => {
    const shape = JSON.parse(await run(folder, process.execPath, "own-cell.js")) as number[];
    assert(shape.join() === "5,2,4", `expected output of shape [5, 2, 4], got [${shape.join(", ")}]`);
  });
}

function transpile(folder: string, name: string, source: string): void {
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  writeFileSync(join(folder, `${name}.js`), ts.transpileModule(source, { compilerOptions }).outputText);
}

/** Strict, against the published declarations, with a browser's types and without Node's. */
function typeCheck(folder: string, name: string, source: string): void {
  const file = join(folder, `${name}.ts`);
  writeFileSync(file, source);
  const program = ts.createProgram([file], {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.esnext.disposable.d.ts"],
    types: [],
  });
  const messages = ts.getPreEmitDiagnostics(program).map(({ file: where, messageText }) => {
    return `${where?.fileName ?? ""}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
  assert(messages.length === 0, messages.join("\n"));
}

function judgeOutput(printed: string): void {
  const [output, gate, frame] = JSON.parse(printed) as [number[], number[], (number | null)[]];
  assert(output.join() === "50,1,5", `expected output of shape [50, 1, 5], got [${output.join(", ")}]`);
  assert(
    gate.join() === "50,1,20",
    `expected the forget gate of shape [50, 1, 20], got [${gate.join(", ")}]`,
  );
  const written = frame.length === 5 && frame.every((value) => value !== null && value !== 0);
  assert(written, `expected stream.step to write five numbers, got [${frame.join(", ")}]`);
}
