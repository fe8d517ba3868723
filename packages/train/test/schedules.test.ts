/** Schedules: step by step as PyTorch's schedulers go, written here as they document it; and beside PyTorch itself. */
import { describe, expect, it } from "vitest";
import {
  cosine,
  exponential,
  oneCycle,
  plateau,
  stepDecay,
  warmUp,
  type PlateauState,
  type Schedule,
} from "../src/index.ts";
import { refuses } from "./support/refuses.ts";
import { besideTorch, runTorch } from "./support/torch.ts";

const STEPS = 40;
const metrics = [
  5, 4, 4, 4.0001, 3.9999, 3, 3, 3, 3, 3, 3, 2, 2.5, 2.5, 2.5, 2.5, 2.5, 1, 1, 1, 1, 1, 1, 1, 1,
];

const rates = (schedule: Schedule): number[] => Array.from({ length: STEPS }, (_, i) => schedule(i));

/** Rates from a rule for the next one. */
const chain = (first: number, next: (rate: number, step: number) => number): number[] => {
  const all = [first];
  for (let i = 1; i < STEPS; i++) all.push(next(all[i - 1]!, i));
  return all;
};

const cosineBy = (lr: number, steps: number, least: number) =>
  // The recursive form of CosineAnnealingLR.
  chain(
    lr,
    (rate, i) =>
      ((1 + Math.cos((Math.PI * i) / steps)) / (1 + Math.cos((Math.PI * (i - 1)) / steps))) * (rate - least) +
      least,
  );

const cases: readonly (readonly [string, readonly number[], readonly number[], readonly unknown[]])[] = [
  ["stepDecay", rates(stepDecay({ learningRate: 0.5, every: 7, gamma: 0.3 })), chain(0.5, (r, i) => (i % 7 === 0 ? r * 0.3 : r)), [0.5, "StepLR", { step_size: 7, gamma: 0.3 }]],
  ["exponential", rates(exponential({ learningRate: 0.5, gamma: 0.9 })), chain(0.5, (r) => r * 0.9), [0.5, "ExponentialLR", { gamma: 0.9 }]],
  ["cosine", rates(cosine({ learningRate: 0.5, steps: 40, least: 0.01 })), cosineBy(0.5, 40, 0.01), [0.5, "CosineAnnealingLR", { T_max: 40, eta_min: 0.01 }]],
  ["warmUp", rates(warmUp({ steps: 8, from: 0.25, then: 0.4 })), chain(0.1, (r, i) => (i <= 8 ? r + (0.4 * 0.75) / 8 : r)), [0.4, "LinearLR", { start_factor: 0.25, total_iters: 8 }]],
]; // prettier-ignore

describe("schedules", () => {
  it.each(cases)("%s", (_, got, wanted) => {
    got.forEach((rate, i) => expect(rate, `step ${i}`).toBeCloseTo(wanted[i]!, 12));
  });

  it("warmUp goes over into a schedule, which begins then", () => {
    const after = exponential({ learningRate: 0.4, gamma: 0.5 });
    expect([0, 4, 5, 6].map(warmUp({ steps: 4, from: 0, then: after }))).toEqual([0, 0.4, 0.2, 0.1]);
  });

  it("oneCycle rises to the rate, falls, and stays there", () => {
    const cycle = oneCycle({ learningRate: 1, steps: 20, rising: 0.25 });
    expect(cycle(0)).toBeCloseTo(1 / 25, 12);
    expect(cycle(4)).toBe(1);
    expect(cycle(2)).toBeCloseTo((1 + 1 / 25) / 2, 12);
    expect(cycle(19)).toBeCloseTo(1 / 25 / 1e4, 12);
    expect(cycle(100)).toBe(cycle(19));
  });

  it("oneCycle is a number at every step, however short its rise or fall", () => {
    const at = (rising: number, step: number) => oneCycle({ learningRate: 1, steps: 10, rising })(step);
    expect(at(0.1, 0)).toBe(1);
    expect([at(1, 9), at(1, 10), at(1, 99)]).toEqual([1, 1, 1]);
    expect(at(0.1, 9)).toBeCloseTo(1 / 25 / 1e4, 12);
  });

  it("plateau takes up a state that is one, or the first", async () => {
    const schedule = plateau({ learningRate: 1, patience: 0 });
    schedule.observe(1);
    schedule.observe(2);
    const before = schedule.state();
    for (const wrong of [
      { learningRate: 1 },
      { ...before, bad: -1 },
      { ...before, cooling: 0.5 },
      { ...before, best: null },
      null,
    ])
      await refuses(() => schedule.restore(wrong as PlateauState), "INVALID_ARGUMENT", /^plateau: restore/);
    expect(schedule.state()).toBe(before);
    schedule.restore();
    expect(schedule.state()).toEqual({ learningRate: 1, bad: 0, cooling: 0 });
  });

  it("plateau lowers the rate when nothing gets better, and goes on from its state", () => {
    const options = { learningRate: 1, factor: 0.5, patience: 2, cooldown: 1, least: 0.2 };
    const [one, other] = [plateau(options), plateau(options)];
    // 4.0001 and 3.9999 are no better than 4 by its ten-thousandth part.
    const got = metrics.map((m) => one.observe(m));
    expect(got.slice(0, 12)).toEqual([1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25]);
    metrics.forEach((m, i) => {
      expect(other.observe(m)).toBe(got[i]);
      const again = plateau(options);
      again.restore(other.state());
      expect(again.state()).toEqual(other.state());
    });
    const rising = plateau({ learningRate: 1, patience: 0, mode: "max" });
    expect([0.1, 0.2, 0.2].map((m) => rising.observe(m))).toEqual([1, 1, 0.1]);
  });
});

const script = `
import json, sys, torch, warnings
warnings.filterwarnings("ignore")
given = json.load(sys.stdin)
def rates(lr, name, args):
    o = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    s = getattr(torch.optim.lr_scheduler, name)(o, **args)
    out = []
    for i in range(given["steps"]):
        out.append(o.param_groups[0]["lr"])
        o.step()
        if i + 1 < given["steps"]: s.step()
    return out
def plateau(lr, args):
    o = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    s = torch.optim.lr_scheduler.ReduceLROnPlateau(o, **args)
    out = []
    for m in given["metrics"]:
        s.step(m)
        out.append(o.param_groups[0]["lr"])
    return out
json.dump([rates(*c) for c in given["cases"]] + [plateau(*p) for p in given["plateaus"]], sys.stdout)
`;

besideTorch(() => {
  it("gives the same rates", () => {
    const cycle = [0.3, "OneCycleLR", { max_lr: 0.3, total_steps: STEPS, pct_start: 0.3 }];
    const plateaus = [
      [1, { factor: 0.5, patience: 2, cooldown: 1, min_lr: 0.2 }],
      [1, { patience: 1, mode: "max", threshold: 0.1 }],
    ];
    const given = { steps: STEPS, metrics, cases: [...cases.map(([, , , c]) => c), cycle], plateaus };
    const wanted = runTorch(script, given) as number[][];
    const observed = (p: ReturnType<typeof plateau>) => metrics.map((m) => p.observe(m));
    [
      ...cases.map(([, got]) => got),
      rates(oneCycle({ learningRate: 0.3, steps: STEPS })),
      observed(plateau({ learningRate: 1, factor: 0.5, patience: 2, cooldown: 1, least: 0.2 })),
      observed(plateau({ learningRate: 1, patience: 1, mode: "max", threshold: 0.1 })),
    ].forEach((got, c) =>
      got.forEach((rate, i) => expect(rate, `${c}, step ${i}`).toBeCloseTo(wanted[c]![i]!, 10)),
    );
  });
});
