/** Gradients of a model: forward and back-propagation through time in one program. Apart from the model, so that a page that only infers doesn't ship it. */
import { differentiate, type Adjoint } from "./adjoint.ts";
import {
  readCall,
  readStates,
  resultOf,
  writeCall,
  type Call,
  type Input,
  type SequenceOptions,
} from "./call.ts";
import { backward } from "./compile/backward.ts";
import type { Engine, Recipe } from "./engine.ts";
import { list } from "./engine.ts";
import { fail } from "./errors.ts";
import type { Node } from "./expr.ts";
import { Model, type SyncModel } from "./model.ts";
import type { NetworkGraph } from "./network.ts";
import { checkOptions } from "./options.ts";
import { random } from "./random.ts";
import {
  collect,
  collectSync,
  outputsOf,
  pick,
  wantState,
  type Found,
  type Job,
  type Wanted,
} from "./results.ts";
import { checkRecord, checkTensor, kindOf, swapAxes, type Tensor } from "./tensor.ts";

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

/** The network's output and the gradient of a loss, from the loss's gradient with respect to the output. */
export async function gradient(
  model: Model,
  x: Input,
  loss: LossGradient,
  options: GradientOptions = {},
): Promise<GradientResult> {
  const engine = engineOf(model);
  return engine.exclusively(async () => collect(engine, begin(engine, x, loss, options)));
}

/** `gradient`, at once. */
export function gradientSync(
  model: SyncModel,
  x: Input,
  loss: LossGradient,
  options: GradientOptions = {},
): GradientResult {
  const engine = engineOf(model);
  engine.idle();
  return collectSync(engine, begin(engine, x, loss, options));
}

const engineOf = (model: Model): Engine =>
  model instanceof Model
    ? model.engine
    : fail("INVALID_ARGUMENT", `gradient: expected a model, by createModel(…), got ${kindOf(model)}`);

/** A network's graph with its adjoint: what a gradient program computes. The loss's gradient comes in as inputs called `d.` + the output's name. */
export function gradientGraph(graph: NetworkGraph): {
  readonly adjoint: Adjoint;
  readonly outputs: ReadonlyMap<string, Node>;
} {
  const seeds = new Map<Node, Node>();
  const outputs = new Map<string, Node>(graph.outputs);
  for (const [name, node] of graph.outputs) {
    const seed = graph.input(`d.${name}`, node.width, node.domain === "batch" ? "batch" : "sequence");
    const known = seeds.get(node);
    seeds.set(node, known ? graph.map("plus", known, seed) : seed);
  }
  const adjoint = differentiate(graph, seeds, graph.mask);
  for (const [name, input] of graph.inputs) {
    const delta = adjoint.inputs.get(input);
    if (delta) outputs.set(`d.input ${name}`, delta);
  }
  return { adjoint, outputs };
}

/** What a gradient program is made of, from a network's graph. */
export const gradientRecipe: Recipe = (graph) => {
  const { adjoint, outputs } = gradientGraph(graph);
  return {
    backward,
    outputs,
    gradients: adjoint.parameters,
    states: [...graph.states.values(), ...adjoint.states.values()],
  };
};

function begin(engine: Engine, x: Input, loss: LossGradient, options: GradientOptions): Job<GradientResult> {
  checkOptions(loss, ["output", "outputs", "state"], "the loss's gradient");
  const call = readCall(engine, x, options, ["dropoutSeed"]);
  const { steps, batch, masked } = call;
  const { batchFirst = false, dropoutSeed } = options;
  const draw = dropoutSeed === undefined ? undefined : random(dropoutSeed);
  const seeds = readSeeds(engine, loss, call, batchFirst);
  const finalSeeds = readStates(engine, loss.state ?? {}, batch);

  const { graph } = engine;
  const finish = (found: Found): GradientResult => {
    // A parameter that the loss doesn't depend on has gradient 0.
    const parameters = Object.fromEntries(
      [...graph.parameters.values()].map((p) => [
        p.name,
        found.get(`d.${p.name}`) ?? { shape: p.shape, data: new Float32Array(p.rows * p.width) },
      ]),
    );
    const inputs = pick(found, "d.input ");
    return {
      ...outputsOf(engine, found),
      state: pick(found, "state "),
      parameters,
      input: inputs[Object.keys(engine.network.inputs)[0] as string],
      inputs,
      initialState: pick(found, "d.state "),
    };
  };

  const dropping = draw !== undefined;
  const compiled = engine.plan(
    `gradient${masked ? " masked" : ""}${dropping ? " dropout" : ""}`,
    { masked, dropout: dropping },
    gradientRecipe,
  );
  const execution = engine.execution(compiled, steps, batch);
  writeCall(execution, engine, call);
  for (const [name, data] of seeds) execution.writeInput(`d.${name}`, data);
  for (const name of graph.states.keys()) execution.writeState(`d.${name}`, finalSeeds.get(name));
  if (draw)
    for (const { input, keep } of engine.network.build({ dropout: true }).dropouts)
      execution.writeInput(
        input.name,
        Float32Array.from({ length: (input.domain === "batch" ? 1 : steps) * batch * input.width }, () =>
          draw() < keep ? 1 : 0,
        ),
      );
  execution.run(steps);

  const { program } = compiled.plan;
  const wanted: Wanted[] = [];
  const want = (
    name: string,
    rows: "sequence" | "batch" | number,
    shape: (data: Float32Array) => Tensor,
  ): void => {
    if (Object.hasOwn(program.outputs, name))
      wanted.push({ name, read: execution.outputPlace(name, steps, rows), shape });
  };
  const domainOf = (node: Node): "sequence" | "batch" => (node.domain === "batch" ? "batch" : "sequence");
  for (const [name, node] of graph.outputs)
    want(name, domainOf(node), (data) => resultOf(data, domainOf(node), call, node.width, batchFirst));
  for (const [name, width] of Object.entries(engine.network.inputs))
    want(`d.input ${name}`, "sequence", (data) => resultOf(data, "sequence", call, width, batchFirst));
  for (const p of graph.parameters.values())
    want(`d.${p.name}`, p.rows, (data) => ({ shape: p.shape, data }));
  for (const [name, { width }] of graph.states)
    wanted.push(
      wantState(`state ${name}`, execution, name, width),
      wantState(`d.state ${name}`, execution, `d.${name}`, width),
    );
  return { wanted, finish };
}

/** ∂L/∂output by name, time-major; zeros for those not given. */
function readSeeds(
  engine: Engine,
  loss: LossGradient,
  { steps, batch }: Call,
  batchFirst: boolean,
): ReadonlyMap<string, Float32Array> {
  checkRecord(loss, "loss");
  const names = [...engine.graph.outputs.keys()];
  const given: Readonly<Record<string, Tensor>> = {
    ...loss.outputs,
    ...(loss.output && { [names[0] as string]: loss.output }),
  };
  for (const name of Object.keys(given))
    if (!names.includes(name))
      fail("UNKNOWN_NAME", `gradient of output ${name}: expected one of ${list(names)}`);
  return new Map(
    [...engine.graph.outputs].map(([name, { width, domain }]) => {
      const tensor = given[name];
      if (!tensor) return [name, new Float32Array((domain === "batch" ? 1 : steps) * batch * width)];
      const [a, b] = batchFirst ? [batch, steps] : [steps, batch];
      checkTensor(tensor, domain === "batch" ? [batch, width] : [a, b, width], `gradient of ${name}`);
      return [
        name,
        batchFirst && domain !== "batch" ? swapAxes(tensor.data, batch, steps, width) : tensor.data,
      ];
    }),
  );
}
