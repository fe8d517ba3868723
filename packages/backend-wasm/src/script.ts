/** What a bound program runs, written down in the device's memory: its parts, their launches, and scratch for them. */
import { EDGE_BYTES } from "./engine/gemm.ts";
import { PART_WORDS } from "./engine/walk.ts";
import { mostWords, scratchBytes, TABLE_ROWS_WORD, wordsOf, type Bound, type Scratch } from "./launch.ts";
import type { Memory } from "./memory.ts";

/** Launches over all rows of a span at once, or a loop's, for the two places that a state's pair may be in. */
export interface ScriptPart {
  readonly loop: boolean;
  readonly launches: readonly [readonly Bound[], readonly Bound[]];
}

export interface Script {
  /** The address of each section's first part. */
  readonly sections: readonly number[];
  /** Say how many rows a table has now. */
  setTableRows(launch: Bound, rows: number): void;
  dispose(): void;
}

export function writeScript(memory: Memory, sections: readonly (readonly ScriptPart[])[]): Script {
  const parts = sections.flat();
  const launches = parts.flatMap((part) => part.launches.flat());
  const [left, right, temporaries, constants] = scratchBytes(launches);
  const words = launches.reduce((sum, launch) => sum + mostWords(launch), PART_WORDS * parts.length);
  const address = memory.take(left + right + temporaries + EDGE_BYTES + 4 * (words + constants));
  const all = memory.words();
  let at = address;
  const place = (bytes: number): number => {
    const here = at;
    at += bytes;
    return here;
  };
  /** Write words down; returns where. */
  const write = (content: ArrayLike<number>): number => {
    const here = place(4 * content.length);
    all.set(content, here / 4);
    return here;
  };
  const scratch: Scratch = {
    left: place(left),
    right: place(right),
    temporaries: place(temporaries),
    edge: place(EDGE_BYTES),
    constant: (value) => write(new Uint32Array(Float32Array.of(value).buffer)),
  };
  const written = new Map<Bound, number>();
  const listOf = (list: readonly Bound[]): number =>
    write(
      list.map((launch) => {
        const here = write(wordsOf(launch, scratch));
        written.set(launch, here);
        return here;
      }),
    );
  return {
    sections: sections.map((section) =>
      write(
        section.flatMap(({ loop, launches: [even, odd] }) => [
          loop ? 1 : 0,
          even.length,
          listOf(even),
          listOf(odd),
        ]),
      ),
    ),
    setTableRows(launch, rows) {
      memory.words()[written.get(launch)! / 4 + TABLE_ROWS_WORD] = rows;
    },
    dispose() {
      memory.give(address);
    },
  };
}
