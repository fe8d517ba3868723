/** The part of the verifier that looks at one kernel: whether it is well formed, and what shape each operand must have. */
import type { FunctionName, GemmKernel, Kernel, Launch, Limits, MapKernel } from "../backend.ts";

/** How an operand must be shaped. Rows: a number, those of the launch, or a whole table of any length. */
export interface Shape {
  readonly rows: number | "batch" | "steps" | "table";
  readonly width: number;
  /** Whether its row or column may be repeated. */
  readonly repeats: boolean;
}

export interface Shapes {
  readonly inputs: readonly Shape[];
  readonly outputs: readonly Shape[];
}

/** Says what is wrong with the launch at hand. */
export type Refuse = (what: string) => never;

/** The shapes that a launch's kernel asks of its operands. `refuse` is called where the kernel itself is wrong. */
export function shapesOf({ kernel, rows, inputs, outputs }: Launch, limits: Limits, refuse: Refuse): Shapes {
  const shapes = expected(kernel, rows, inputs.length, limits, refuse);
  if (shapes.inputs.length !== inputs.length)
    refuse(`expected ${shapes.inputs.length} inputs, got ${inputs.length}`);
  if (shapes.outputs.length !== outputs.length)
    refuse(`expected ${shapes.outputs.length} outputs, got ${outputs.length}`);
  return shapes;
}

function expected(
  kernel: Kernel,
  rows: Launch["rows"],
  count: number,
  limits: Limits,
  refuse: Refuse,
): Shapes {
  const result = (of: Shape["rows"], width: number): Shape => ({ rows: of, width, repeats: false });
  const row = (width: number): Shape => ({ rows, width, repeats: true });
  size(kernel.width, "width", refuse);
  switch (kernel.op) {
    case "gemm":
      return gemm(kernel, rows, count, refuse);
    case "map":
      checkInstructions(kernel, refuse);
      if (limits.maps && kernel.inputs > limits.maps.inputs)
        refuse(`expected at most ${limits.maps.inputs} inputs, got ${kernel.inputs}`);
      if (limits.maps && kernel.outputs.length > limits.maps.outputs)
        refuse(`expected at most ${limits.maps.outputs} outputs, got ${kernel.outputs.length}`);
      return {
        inputs: Array.from({ length: kernel.inputs }, () => row(kernel.width)),
        outputs: kernel.outputs.map(() => result(rows, kernel.width)),
      };
    case "reduce":
      return { inputs: [row(kernel.width)], outputs: [result(rows, 1)] };
    case "gather":
      return { inputs: [result("table", kernel.width), row(1)], outputs: [result(rows, kernel.width)] };
    case "scatterAdd":
      return { inputs: [row(1), row(kernel.width)], outputs: [result(kernel.tableRows, kernel.width)] };
  }
}

function gemm(kernel: GemmKernel, rows: Launch["rows"], count: number, refuse: Refuse): Shapes {
  const { width } = kernel;
  const own = kernel.rows === "rows" ? rows : size(kernel.rows, "rows", refuse);
  const inputs = new Map<number, Shape>();
  const ask = (index: number, shape: Shape): void => {
    const known = inputs.get(index);
    if (!(Number.isInteger(index) && index >= (kernel.addend ? 1 : 0) && index < count))
      refuse(`expected a term's operands to be among the ${count} inputs, got ${index}`);
    if (known && (known.rows !== shape.rows || known.width !== shape.width))
      refuse(`expected input ${index} to have one shape in all terms`);
    inputs.set(index, shape);
  };
  if (kernel.terms.length === 0) refuse("expected at least one product, got none");
  for (const { a, b, transposeA, transposeB, depth } of kernel.terms)
    if (depth === "rows") {
      // Σ over rows: aᵀ·b has a row for each column of a.
      if (kernel.rows === "rows" || !transposeA || transposeB)
        refuse("expected a sum over rows to be aᵀ·b, with a number of rows of its own");
      ask(a, { rows, width: kernel.rows, repeats: true });
      ask(b, { rows, width, repeats: true });
    } else {
      if (kernel.rows !== "rows" || transposeA)
        refuse("expected a product of each row, a not transposed, got a sum over rows beside it");
      size(depth, "depth", refuse);
      const [bRows, bWidth] = transposeB ? [width, depth] : [depth, width];
      ask(a, { rows, width: depth, repeats: true });
      ask(b, { rows: bRows, width: bWidth, repeats: false });
    }
  if (kernel.addend) inputs.set(0, { rows: own, width, repeats: true });
  const shapes = Array.from({ length: count }, (_, i) => inputs.get(i) ?? refuse(`input ${i} isn't used`));
  return { inputs: shapes, outputs: [{ rows: own, width, repeats: false }] };
}

const arguments1 = "copy neg exp log tanh sigmoid relu softplus abs sqrt rsqrt reciprocal".split(" ");
const arguments3: readonly FunctionName[] = ["clamp", "select"];
const arity = (fn: FunctionName): number => (arguments1.includes(fn) ? 1 : arguments3.includes(fn) ? 3 : 2);

function checkInstructions({ inputs, instructions, outputs }: MapKernel, refuse: Refuse): void {
  const below = (index: number, count: number): boolean =>
    Number.isInteger(index) && index >= 0 && index < count;
  instructions.forEach(({ fn, args }, i) => {
    if (args.length !== arity(fn))
      refuse(`instruction ${i}: expected ${arity(fn)} arguments of ${fn}, got ${args.length}`);
    for (const arg of args) {
      if ("input" in arg && !below(arg.input, inputs))
        refuse(`instruction ${i}: expected one of ${inputs} inputs, got input ${arg.input}`);
      if ("result" in arg && !below(arg.result, i))
        refuse(`instruction ${i}: expected an earlier result, got result ${arg.result}`);
    }
  });
  if (outputs.length === 0) refuse("expected at least one output, got none");
  const unknown = outputs.find((index) => !below(index, instructions.length));
  if (unknown !== undefined)
    refuse(`expected outputs among ${instructions.length} results, got result ${unknown}`);
}

function size(value: number, what: string, refuse: Refuse): number {
  return Number.isInteger(value) && value > 0
    ? value
    : refuse(`expected a ${what} of at least 1, got ${value}`);
}
