/** Gradients of a model: forward and back-propagation through time in one program. Apart from the model, so that a page that only infers doesn't ship it. */
import { differentiate, type Adjoint } from "./adjoint.ts";
import { perform, readCall, readStates, type Call, type Input, type SequenceOptions } from "./call.ts";
import { backward } from "./compile/backward.ts";
import type { Recipe } from "./engine.ts";
import { fail } from "./errors.ts";
import type { Graph, Node } from "./expr.ts";
import { drawMasks } from "./masks.ts";
import type { Model, SyncModel } from "./model.ts";
import { check, checkOptions } from "./check.ts";
import { random } from "./random.ts";
import { collect, want, wantOutput, wantStates } from "./results.ts";
import { readTensors, sizeOf, swapAxes, type Tensor, type Tensors } from "./tensor.ts";

/** ∂L/∂output and ∂L/∂(final state), shaped like them; what isn't given is 0. */
export interface LossGradient {
  /** Of the network's (first) output. */
  readonly output?: Tensor;
  /** Of several outputs, by name. */
  readonly outputs?: Readonly<Record<string, Tensor>>;
  readonly state?: Readonly<Record<string, Tensor>>;
}

export interface GradientOptions extends SequenceOptions {
  /** Seed of the dropout masks. Without it nothing is dropped. */
  readonly dropoutSeed?: number;
}

export interface GradientResult {
  readonly output: Tensor;
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly state: Readonly<Record<string, Tensor>>;
  /** ∂L/∂parameter by name, shaped like the parameters. */
  readonly parameters: Readonly<Record<string, Tensor>>;
  /** ∂L/∂input (the first, where there are several), shaped like it; absent where the input holds ids. */
  readonly input: Tensor | undefined;
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** ∂L/∂(initial state) by name, [batch, width]. */
  readonly initialState: Readonly<Record<string, Tensor>>;
}

/**
 * The network's output and the gradient of a loss, from the loss's gradient with respect to the output.
 * @param loss ∂L/∂output [time, batch, width] or [batch, width], and ∂L/∂(final state) [batch, width]
 * @throws RecurraError as `model.run` does; SHAPE_MISMATCH or UNKNOWN_NAME for a gradient that has no output or state; UNSUPPORTED for
 *   int8 weights
 */
export const gradient = async (
  model: Model,
  x: Input,
  loss: LossGradient,
  options: GradientOptions = {},
): Promise<GradientResult> => begin(model, x, loss, options);

/** `gradient`, at once. */
export const gradientSync = (
  model: SyncModel,
  x: Input,
  loss: LossGradient,
  options: GradientOptions = {},
): GradientResult => {
  if (model?.engine && !model.engine.backend.readSync)
    fail(
      "UNSUPPORTED",
      `gradientSync: expected a synchronous backend, got ${model.engine.backend.name}; await gradient(…)`,
    );
  return begin(model, x, loss, options) as GradientResult;
};

/** A network's graph with its adjoint: what a gradient program computes. The loss's gradient comes in as inputs called `d.` + the output's name. */
export function gradientGraph(graph: Graph): {
  readonly adjoint: Adjoint;
  readonly outputs: ReadonlyMap<string, Node>;
} {
  const outputs = new Map<string, Node>(graph.outputs);
  const seeds = [...outputs].map(([name, node]): [Node, Node] => [
    node,
    graph.input(`d.${name}`, node.width, node.domain === "batch" ? "batch" : "sequence"),
  ]);
  const adjoint = differentiate(graph, seeds);
  for (const [name, input] of graph.inputs) {
    const delta = adjoint.inputs.get(input);
    if (delta) outputs.set(`d.input ${name}`, delta);
  }
  return { adjoint, outputs };
}

/** What a gradient program is made of, from a network's graph. */
export const gradientRecipe: Recipe["of"] = (graph) => {
  const { adjoint, outputs } = gradientGraph(graph);
  return {
    backward,
    outputs,
    gradients: adjoint.parameters,
    states: [...graph.states.values(), ...adjoint.states.values()],
  };
};

function begin(
  model: Model,
  x: Input,
  loss: LossGradient,
  options: GradientOptions,
): GradientResult | Promise<GradientResult> {
  const { engine } = (model ?? {}) as Partial<Model>;
  check(engine !== undefined, "gradient", "a model", model);
  engine.idle();
  checkOptions(loss, ["output", "outputs", "state"], "the loss's gradient");
  const call = readCall(engine, x, options, ["dropoutSeed"]);
  const { batch, inputs, states } = call;
  const { graph, network } = engine;
  const { dropoutSeed } = options;
  const { state = {} } = loss;
  const draw = dropoutSeed === undefined ? undefined : random(dropoutSeed);
  for (const [name, node] of graph.outputs)
    inputs.set(`d.${name}`, new Float32Array(rowsOf(node, call) * node.width));
  for (const [name, seed] of readSeeds(graph, loss, call)) inputs.set(`d.${name}`, seed);
  for (const [name, seed] of readStates(graph, state, batch)) states.set(`d.${name}`, seed);
  const build = { masked: call.lengths !== undefined, dropout: draw !== undefined };
  if (draw) drawMasks(network.build(build).dropouts, call, draw);
  const name = `gradient ${build.masked} ${build.dropout}`;
  const execution = perform(engine, { name, build, of: gradientRecipe }, call);

  const { program } = execution;
  /** What the loss depends on; the rest has no gradient. */
  const wanted = (output: string): boolean => Object.hasOwn(program.outputs, output);
  return collect(
    engine,
    {
      outputs: [...graph.outputs].map(([output, node]) => wantOutput(execution, call, output, node)),
      inputs: [...graph.inputs]
        .filter(([input]) => wanted(`d.input ${input}`))
        .map(([input, node]) => ({ ...wantOutput(execution, call, `d.input ${input}`, node), name: input })),
      parameters: [...graph.parameters.values()]
        .filter((p) => wanted(`d.${p.name}`))
        .map((p) => want(p.name, execution.output(`d.${p.name}`), p.rows, p.shape)),
      state: wantStates(execution, graph.states.values()),
      initialState: wantStates(execution, graph.states.values(), "d."),
    },
    (found) => ({
      ...found,
      output: Object.values(found.outputs)[0] as Tensor,
      input: found.inputs[Object.keys(network.inputs)[0] as string],
      parameters: Object.fromEntries(
        [...graph.parameters].map(([parameter, { shape }]) => [
          parameter,
          found.parameters[parameter] ?? { shape, data: new Float32Array(sizeOf(shape)) },
        ]),
      ),
    }),
  );
}

const rowsOf = ({ domain }: Node, { steps, batch }: Call): number => (domain === "batch" ? 1 : steps) * batch;

/** ∂L/∂output by name, time-major. */
function readSeeds(
  { outputs }: Graph,
  { output, outputs: byName = {} }: LossGradient,
  { steps, batch, batchFirst }: Call,
): readonly (readonly [string, Float32Array])[] {
  const [first] = outputs.keys();
  const sizes = batchFirst ? [batch, steps] : [steps, batch];
  const read = (given: Tensors) =>
    [
      ...readTensors(given, "gradient of output", outputs, ({ domain, width }) =>
        domain === "batch" ? [batch, width] : [...sizes, width],
      ),
    ].map(([name, data]) => {
      const { domain, width } = outputs.get(name) as Node;
      const swaps = batchFirst && domain !== "batch";
      return [name, swaps ? swapAxes(data, batch, steps, width) : data] as const;
    });
  return [...read(byName), ...(output === undefined ? [] : read({ [first as string]: output }))];
}
