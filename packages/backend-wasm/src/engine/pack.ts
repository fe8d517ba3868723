/**
 * Packing: `lanes` rows of a matrix, interleaved so that the micro-kernel reads them one behind the other. Four at a time; fewer are
 * written over by the next ones, so up to 12 bytes behind the packed ones are written too.
 */
import { add, choose, count, I32, equals, less, mul, sub, V128, when, and, type Assembler, type Code, type Local, type Routine } from "../assembler.ts"; // prettier-ignore
import * as f32 from "../instructions/f32.ts";
import * as v from "../instructions/v128.ts";

/**
 * to[k · step + 4 l] = from[l · laneStride + k · depthStride] for four lanes l (those from `valid` on repeat the last) and k < depth.
 * Parameters: from, laneStride, depthStride, depth, valid, to, step; all but depth and valid in bytes.
 */
export function interleave(assembler: Assembler): Routine {
  return assembler.routine(7, (parameters, locals, local) => {
    const [from, laneStride, depthStride, depth, valid, to, step] = parameters;
    const lanes = [from, local(I32), local(I32), local(I32)];
    const [k, whole] = locals(I32);
    const rows = lanes.map(() => local(V128));
    const [low01, low23, high01, high23] = locals(V128);
    const [a, b, c, d] = rows as [Local, Local, Local, Local];
    return [
      when(equals(laneStride, 4), [
        count(k, 0, depth, 1, [v.store(to, v.load(from)), from.add(depthStride), to.add(step)]),
        [0x0f], // done
      ]),
      lanes
        .slice(1)
        .map((lane, i) => lane.set(add(lanes[i] as Local, choose(less(i + 1, valid), laneStride, 0)))),
      whole.set(choose(equals(depthStride, 4), and(depth, -4), 0)),
      count(k, 0, whole, 4, [
        rows.map((row, l) => row.set(v.load(lanes[l] as Local))),
        low01.set(v.shuffle(a, b, 0, 4, 1, 5)),
        low23.set(v.shuffle(c, d, 0, 4, 1, 5)),
        high01.set(v.shuffle(a, b, 2, 6, 3, 7)),
        high23.set(v.shuffle(c, d, 2, 6, 3, 7)),
        [
          v.shuffle(low01, low23, 0, 1, 4, 5),
          v.shuffle(low01, low23, 2, 3, 6, 7),
          v.shuffle(high01, high23, 0, 1, 4, 5),
          v.shuffle(high01, high23, 2, 3, 6, 7),
        ].map((packed) => [v.store(to, packed), to.add(step)]),
        lanes.map((lane) => lane.add(16)),
      ]),
      count(k, whole, depth, 1, [
        lanes.map((lane, l) => [f32.store(to, f32.load(lane), 4 * l), lane.add(depthStride)]),
        to.add(step),
      ]),
    ];
  });
}

/**
 * The right operand as panels [depth, 8]: element (k, j) from from + k · depthStride + j · columnStride.
 * Parameters: from, depthStride, columnStride, depth, width, to, bytes from panel to panel, and from k to k within one.
 */
export function packPanels(assembler: Assembler, interleaved: Routine): Routine {
  return assembler.routine(8, (parameters, locals) => {
    const [from, depthStride, columnStride, depth, width, to, panelStride, step] = parameters;
    const [j] = locals(I32);
    const at = (columns: Local): readonly Code[] => add(from, mul(columns, columnStride));
    return [
      count(j, 0, width, 8, [
        interleaved.call(at(j), columnStride, depthStride, depth, sub(width, j), to, step),
        // The second half may lie past the last column: then it repeats it.
        when(
          less(add(j, 4), width),
          interleaved.call(
            add(at(j), mul(4, columnStride)), columnStride, depthStride, depth, sub(sub(width, j), 4), add(to, 16), step,
          ), // prettier-ignore
        ),
        to.add(panelStride),
      ]),
    ];
  });
}
