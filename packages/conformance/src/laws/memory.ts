/** Memory: what is written is what is read, and nothing else changes. */
import { forCases, type Statement } from "../law.ts";

export const memory: Statement = {
  name: "memory",
  body: (tally, setting, backend) =>
    forCases(tally, setting, "memory", 6, async (draw, size, context) => {
      const lengths = size === "small" ? [1, 3, 5, 7, 40] : [63, 65, 1023, 4097];
      const made = lengths.map((length) => ({
        buffer: backend.alloc(length),
        host: new Float32Array(length),
      }));
      context(`buffers of ${lengths.join()}`);
      for (const { buffer, host } of made) {
        tally.check(
          buffer.length === host.length,
          () => `expected a buffer of ${host.length}, got ${buffer.length}`,
        );
        backend.write(buffer, host, 0);
      }
      for (let write = 0; write < 20; write++) {
        const { buffer, host } = draw.pick(made);
        const offset = draw.below(host.length);
        const data = draw.floats(draw.whole(0, host.length - offset), 1e3);
        host.set(data, offset);
        backend.write(buffer, data, offset);
        data.fill(-1); // a write takes what was there at the call
      }
      for (const { buffer, host } of made.slice(-1)) {
        host.set(special.filter((value) => promised(value, backend.accuracy)));
        backend.write(buffer, host, 0);
      }
      for (const { buffer, host } of made) {
        const offset = draw.below(host.length);
        // Into a part of something larger, as callers do.
        const around = new Float32Array(host.length + 4).fill(7);
        const into = around.subarray(2, 2 + draw.whole(0, host.length - offset));
        await backend.read(buffer, into, offset);
        tally.same(
          into,
          host.subarray(offset, offset + into.length),
          (i) => `element ${offset + i} of ${host.length}`,
        );
        tally.same(
          [...around.subarray(0, 2), ...around.subarray(2 + into.length)],
          new Array(around.length - into.length).fill(7) as number[],
          () => "what lies around the array that was read into",
        );
        if (backend.readSync) {
          const again = new Float32Array(host.length);
          backend.readSync(buffer, again, 0);
          tally.same(again, host, (i) => `element ${i} of ${host.length}, read at once`);
        }
      }
      for (const { buffer } of made) backend.free(buffer);
    }),
};

const special = [-0, 3.4028234663852886e38, Infinity, -Infinity, NaN, 1e-40, 2 ** -149];
const promised = (
  value: number,
  { nan, subnormals }: { readonly nan: boolean; readonly subnormals: boolean },
): boolean => (nan || value === value) && (subnormals || value === 0 || Math.abs(value) >= 2 ** -126);
