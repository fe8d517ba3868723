/** What a bound program runs, written down in the device's memory: its parts, their launches, and scratch for them. */
import { EDGE_BYTES } from "./engine/gemm.ts";
import { PART_WORDS } from "./engine/walk.ts";
import { scratchBytes, TABLE_ROWS_WORD, wordsOf, type Bound, type Scratch } from "./launch.ts";
import type { Memory } from "./memory.ts";

/** Launches over all rows of a span at once, or a loop's, for the two places that a state's pair may be in. */
export interface ScriptPart {
  readonly loop: boolean;
  readonly launches: readonly [readonly Bound[], readonly Bound[]];
}

export class Script {
  readonly #address: number;
  /** The address of each section's first part. */
  readonly sections: readonly number[];
  /** Words that hold table rows, by launch. */
  readonly #tableRows = new Map<Bound, number>();

  constructor(
    readonly memory: Memory,
    sections: readonly (readonly ScriptPart[])[],
  ) {
    const parts = sections.flat();
    const lists = parts.flatMap((part) => part.launches);
    const launches = lists.flat();
    const [left, right, temporaries, constants] = scratchBytes(launches);
    const blank: Scratch = { left: 0, right: 0, edge: 0, temporaries: 0, constant: () => 0 };
    const words = launches.map((launch) => wordsOf(launch, blank).length);
    const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
    const bytes = 4 * (PART_WORDS * parts.length + launches.length + sum(words) + constants);
    this.#address = memory.take(left + right + temporaries + EDGE_BYTES + bytes);
    let at = this.#address;
    const place = (count: number): number => {
      const here = at;
      at += 4 * count;
      return here;
    };
    const all = memory.words;
    const scratch: Scratch = {
      left: place(left / 4),
      right: place(right / 4),
      temporaries: place(temporaries / 4),
      edge: place(EDGE_BYTES / 4),
      constant(value) {
        const address = place(1);
        all.set(new Uint32Array(Float32Array.of(value).buffer), address / 4);
        return address;
      },
    };
    this.sections = sections.map((section) => {
      const first = place(PART_WORDS * section.length);
      section.forEach(({ loop, launches: pair }, p) => {
        const addresses = pair.map((list) => {
          const to = place(list.length);
          list.forEach((launch, i) => {
            const content = wordsOf(launch, scratch);
            const address = place(content.length);
            all.set(content, address / 4);
            all[to / 4 + i] = address;
            this.#tableRows.set(launch, address / 4 + TABLE_ROWS_WORD);
          });
          return to;
        });
        all.set([loop ? 1 : 0, pair[0].length, ...addresses], first / 4 + PART_WORDS * p);
      });
      return first;
    });
  }

  /** Say how many rows a table has now. */
  setTableRows(launch: Bound, rows: number): void {
    this.memory.words[this.#tableRows.get(launch)!] = rows;
  }

  dispose(): void {
    this.memory.give(this.#address);
  }
}
