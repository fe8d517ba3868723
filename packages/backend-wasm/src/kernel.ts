/**
 * One kernel at a time: what core asks for where it walks a program itself. Programs are taken whole (program.ts), so this is kept
 * simple: a launch is written down each time that it is run, in memory that is given back at once.
 */
import type { Kernel, PreparedKernel, View } from "@recurra/core";
import type { Engine } from "./engine.ts";
import type { Bound } from "./launch.ts";
import type { WasmBuffer } from "./memory.ts";
import { writeScript } from "./script.ts";
import { simplify } from "./simple.ts";

export const prepareKernel = (engine: Engine, kernel: Kernel): PreparedKernel => ({
  bind(rows, views, tableRows) {
    const { memory } = engine;
    const places = engine.places();
    const repeated = views.map((view) => view.columnStride === 0);
    const simple = simplify(kernel, repeated, places.of);
    const { walk } = engine.instance(places);
    return {
      run(step) {
        const launches = simple.map((s): Bound => ({
          kernel: s.kernel,
          place: s.place,
          rows: s.rows ?? rows,
          rowsPerStep: 0,
          most: s.rows ?? rows,
          operands: s.refs.map((ref) => (typeof ref === "number" ? operandOf(views[ref]!, step) : ref)),
          tableRows,
        }));
        const script = writeScript(memory, [[{ loop: false, launches: [launches, []] }]]);
        walk(script.sections[0]!, 1, 0, 1, 0, 0);
        script.dispose();
        for (const { buffer } of views) (buffer as WasmBuffer).version++;
      },
    };
  },
});

/** Where a view lies at a step. */
const operandOf = ({ buffer, offset, rowStride, columnStride, stepStride, slots }: View, step: number) => ({
  base: (buffer as WasmBuffer).address + 4 * (offset + (step % slots) * stepStride),
  step: 0,
  mask: 0,
  row: 4 * rowStride,
  column: 4 * columnStride,
});
