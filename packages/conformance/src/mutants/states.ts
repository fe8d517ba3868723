/** Faults in how states are carried: where they begin, where they end, which buffer of a pair they lie in. */
import type { Mutant } from "./mutant.ts";
import { programRunFault, zeros, type Run } from "./program-faults.ts";

const stateOf = (name: string): RegExp => new RegExp(`^[^d].*\\.${name}$`);
/** Change the states before the first step. */
function changeInitial(run: Run, which: RegExp, change: (data: Float32Array) => Float32Array): void {
  for (const { name, buffer } of run.program.states) {
    const current = run.shared(buffer);
    if (which.test(name)) run.put(current, change(run.get(current)));
  }
}

export const stateMutants: readonly Mutant[] = [
  programRunFault("initial h ignored", "starts from h = 0", (run) => {
    changeInitial(run, stateOf("h"), zeros);
    run.run();
  }),
  programRunFault("initial c ignored", "starts from c = 0", (run) => {
    changeInitial(run, stateOf("c"), zeros);
    run.run();
  }),
  programRunFault("gradient of the final state ignored", "starts back-propagation from 0", (run) => {
    changeInitial(run, /^d\./, zeros);
    run.run();
  }),
  programRunFault(
    "parity forgotten",
    "always takes the first buffer of a pair for the current state",
    (run) => run.run(run.steps, 0),
  ),
  programRunFault(
    "odd numbers of steps",
    "leaves the final state in the wrong buffer after an odd number of steps",
    (run) => {
      run.run();
      if (run.steps % 2 === 0) return;
      for (const { buffer } of run.program.states) {
        const [a, b] = [run.shared(buffer, 0), run.shared(buffer, 1)];
        const [va, vb] = [run.get(a), run.get(b)];
        run.put(a, vb);
        run.put(b, va);
      }
    },
  ),
  programRunFault(
    "final state of the reverse direction",
    "gives the initial state of a reverse loop for its final one",
    (run) => {
      const initial = run.program.states.map(({ buffer }) => run.get(run.shared(buffer)));
      run.run();
      run.program.states.forEach(({ reverse, buffer, name }, i) => {
        if (reverse && !name.startsWith("d."))
          run.put(run.shared(buffer, (run.steps % 2) as 0 | 1), initial[i]!);
      });
    },
  ),
  programRunFault("last step dropped", "stops one step early", (run) => {
    run.run(run.steps - 1);
    for (const { buffer } of run.program.states) {
      const [last, after] = run.steps % 2 === 0 ? [1, 0] : [0, 1];
      run.put(run.shared(buffer, after as 0 | 1), run.get(run.shared(buffer, last as 0 | 1)));
    }
  }),
];
