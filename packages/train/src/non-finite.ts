/**
 * Where a loss that isn't finite comes from. The same batch is run once more, by a program that gives out every gate and the result of every
 * layer; the first of them that isn't finite, in the row at fault, is what is looked for. Of a gradient that isn't: whose it is.
 */
import {
  compile, execute, fail, owning, prepare, wantOutput, writeCall, type Call, type BuildOptions, type DeviceBuffer, type Engine, type Execution, type Graph,
  type Node,
} from "@recurra/core/internal"; // prettier-ignore

interface Suspect {
  /** Under which it is an output. */
  readonly name: string;
  readonly what: string;
  /** Layers that walk in different directions are looked at one after another. */
  readonly layer: string;
  readonly node: Node;
  readonly reverse: boolean;
}

/** Every gate and state, and the results of layers that have none, in the order of the graph. */
function suspectsOf(graph: Graph): Suspect[] {
  const suspects: (Suspect & { readonly id: number })[] = [];
  const kind = (name: string): string =>
    graph.layers.find((l) => name === l.name || name.startsWith(`${l.name}.`))?.kind ?? "";
  for (const [name, node] of graph.traces) {
    const [layer, gate] = [name.slice(0, name.lastIndexOf(".")), name.slice(name.lastIndexOf(".") + 1)];
    const reverse = graph.loops.some((loop) => loop.name === layer && loop.reverse);
    // A masked value was computed before it was masked.
    const id = (node.args[0] === graph.mask ? node.args[1] : node)?.id ?? node.id;
    suspects.push({ name, what: `layer ${layer} (${kind(layer)}), gate ${gate}`, layer, node, reverse, id });
  }
  for (const { name, kind: of } of graph.layers) {
    if (suspects.some(({ layer }) => layer === name || layer.startsWith(`${name}.`))) continue;
    const own = (a: Node): boolean => a.op === "parameter" && a.name.startsWith(`${name}.`);
    const node = graph.nodes.filter((n) => n.domain !== "one" && n.args.some(own)).at(-1);
    if (node)
      suspects.push({
        name: `${name}.`,
        what: `layer ${name} (${of})`,
        layer: name,
        node,
        reverse: false,
        id: node.id,
      });
  }
  return suspects.sort((a, b) => a.id - b.id);
}

/**
 * @param row of the batch
 * @returns what to say of it, at once or later
 */
export function locate(
  engine: Engine,
  build: BuildOptions,
  buffers: ReadonlyMap<string, DeviceBuffer>,
  call: Call,
  row: number,
): string | Promise<string> {
  const { backend } = engine;
  // Built anew: a graph with an adjoint reads parameters in further places.
  const graph = engine.network.build(build);
  const suspects = suspectsOf(graph);
  const program = compile(graph, {
    name: "where",
    outputs: new Map(suspects.map(({ name, node }) => [name, node])),
    states: [...graph.states.values()],
    target: backend,
  });
  const run = owning((owner) => ({
    execution: owner.own(execute(prepare(program, backend), backend, buffers, call.steps, call.batch)),
  }));
  const done = <R>(result: R): R => {
    run.dispose();
    return result;
  };
  try {
    writeCall(engine, run.execution, call);
    run.execution.run(call.steps);
    const parameters = [...engine.graph.parameters.values()].map(
      ({ name, storage, row: first, rows, width }) => ({
        name,
        place: { buffer: engine.buffers.get(storage.name) as DeviceBuffer, offset: first * width },
        into: new Float32Array(rows * width),
      }),
    );
    const values = suspects.map(({ name, node }) => wantOutput(run.execution, call, name, node));
    return engine.read(
      [...parameters, ...values],
      () => {
        const broken = parameters.find(({ into }) => !into.every(Number.isFinite));
        if (broken) return done(`parameter ${broken.name} isn't finite any more`);
        return done(first(suspects, values.map(({ into, place }) => ({ data: into, ...place })), call, row)); // prettier-ignore
      },
      undefined,
    );
  } catch (error) {
    run.dispose();
    throw error;
  }
}

interface Columns {
  readonly data: Float32Array;
  readonly column: number;
  readonly width: number;
  readonly stride: number;
}

/** The first in time, and at a step in the order of the graph; where layers walk both ways, layer by layer. */
function first(
  suspects: readonly Suspect[],
  found: readonly Columns[],
  { steps, batch }: Call,
  row: number,
): string {
  const layers = [...new Set(suspects.map(({ layer }) => layer))];
  const both = suspects.some(({ reverse }) => reverse);
  let best: { readonly order: readonly [number, number]; readonly text: string } | undefined;
  suspects.forEach(({ what, layer, node, reverse }, s) => {
    const { data, column, width, stride } = found[s] as Columns;
    const sequence = node.domain === "sequence";
    for (let i = 0; i < (sequence ? steps : 1); i++) {
      const t = reverse ? steps - 1 - i : i;
      const at = ((sequence ? t * batch : 0) + row) * stride + column;
      const unit = data.subarray(at, at + width).findIndex((value) => !Number.isFinite(value));
      if (unit < 0) continue;
      const order = [both ? layers.indexOf(layer) : 0, sequence ? i : steps] as const;
      if (!best || order[0] < best.order[0] || (order[0] === best.order[0] && order[1] < best.order[1]))
        best = {
          order,
          text: `${what}, unit ${unit}${sequence ? `, time step ${t}` : ""}: ${data[at + unit]}`,
        };
      return;
    }
  });
  return best ? `the first value that isn't finite is ${best.text}` : "every gate and layer is finite";
}

/** @throws RecurraError NON_FINITE_LOSS, always */
export const stop = (who: string, where: string, loss: number, cause: string): never =>
  fail(
    "NON_FINITE_LOSS",
    `${who}: expected a finite loss, got ${loss} of ${where}; ${cause}; no parameter was changed. Lower the learning rate, clip the gradients, or look at the data`,
  );

/** @throws RecurraError NON_FINITE_LOSS, always, with the first gradient that isn't finite */
export function stopAtGradient(
  who: string,
  engine: Engine,
  { program, output }: Execution,
): never | Promise<never> {
  const gradients = [...engine.graph.parameters.values()]
    .filter(({ name }) => Object.hasOwn(program.outputs, `d.${name}`))
    .map(({ name, rows, width }) => ({
      name,
      place: output(`d.${name}`),
      into: new Float32Array(rows * width),
    }));
  return engine.read(
    gradients,
    () => {
      const bad = gradients.flatMap(({ name, into }) =>
        [...into].filter((value) => !Number.isFinite(value)).map((value) => `${value} of parameter ${name}`),
      );
      const got = bad[0] ?? "numbers so large that its norm overflows";
      return fail(
        "NON_FINITE_LOSS",
        `${who}: expected a finite gradient, got ${got}; no parameter was changed. Look at the scale of the data, and at functions with infinite slopes`,
      );
    },
    undefined,
  );
}
