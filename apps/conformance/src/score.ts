// What comes of a run: a line a law, the totals, and whether all is well. A law whose outcome never came has failed. What a backend's
// manifest says it can't promise is no failure anywhere, but stands by itself, and counts for nothing.
import { type Outcome, vacuousShare } from "@recurra/conformance";
import type { Message } from "./job.ts";

export interface Rules {
  /** The backend, as the last line calls it. */
  readonly label: string;
  /** Whether the backend says that it makes code from strings. */
  readonly needsEval: boolean;
  /** Where an engine that isn't there has failed. */
  readonly ci: boolean;
  readonly print: (line: string) => void;
}

export class Score {
  readonly #rules: Rules;
  #laws: readonly string[] = [];
  readonly #outcomes: Outcome[] = [];
  /** What failed beside laws: the engine, the policy, too many vacuous bounds. */
  #others = 0;
  #skipped = false;

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  /** What is being tried: "gemm (3 of 31)". */
  get doing(): string {
    const tried = this.#outcomes.length;
    const law = this.#laws[tried];
    if (law === undefined) return tried === 0 ? "starting" : "ending";
    return `${law} (${tried + 1} of ${this.#laws.length})`;
  }

  hear(message: Message): void {
    switch (message.type) {
      case "start":
        return this.#start(message);
      case "outcome":
        return this.#outcome(message.outcome);
      case "failed":
        return this.broke(message.reason);
      case "end":
    }
  }

  #start({ engine, evalAllowed, laws }: Extract<Message, { type: "start" }>): void {
    const { label, needsEval, print } = this.#rules;
    this.#laws = laws;
    print(`${label} in ${engine}${evalAllowed ? "" : ", code from strings forbidden"}`);
    if (evalAllowed && !needsEval)
      this.#fail("policy", `${label} needs no code from strings, but here it wasn't forbidden`);
    this.#row("", "law", "comparisons", "vacuous", "seconds");
  }

  #outcome(outcome: Outcome): void {
    const { law, passed, comparisons, vacuous, milliseconds, failure } = outcome;
    this.#outcomes.push(outcome);
    if (isEmpty(outcome)) return;
    const seconds = (milliseconds / 1000).toFixed(1);
    this.#row(passed ? "passed" : "FAILED", law, count(comparisons), share(vacuous, comparisons), seconds);
    if (failure !== undefined) this.#detail(failure);
  }

  #row(verdict: string, law: string, ...figures: readonly string[]): void {
    const width = Math.max(...this.#laws.map(({ length }) => length));
    this.#rules.print(
      `${verdict.padEnd(8)}${law.padEnd(width)}${figures.map((figure) => figure.padStart(13)).join("")}`,
    );
  }

  /** The engine isn't here. */
  skip(what: string, reason: string): void {
    this.#skipped = true;
    this.#rules.print(`skipped  ${what}: ${reason}`);
    if (this.#rules.ci) this.#others++;
  }

  /** The run ended before its time: what was being tried has failed, and what would have come after it. */
  broke(reason: string): void {
    const { doing } = this;
    const left = this.#laws.length - this.#outcomes.length;
    if (left === 0) this.#others++;
    this.#rules.print(`FAILED  ${doing}`);
    this.#detail(reason);
    if (left > 1) this.#detail(`not tried: ${this.#laws.slice(this.#outcomes.length + 1).join(", ")}`);
  }

  /** Prints the totals, and the line that ends every run. @returns whether all is well */
  end(): boolean {
    const sum = (of: (outcome: Outcome) => number) =>
      this.#outcomes.reduce((total, outcome) => total + of(outcome), 0);
    const comparisons = sum((outcome) => outcome.comparisons);
    const vacuous = sum((outcome) => outcome.vacuous);
    this.#excused();
    const without = this.#outcomes.filter((outcome) => isEmpty(outcome) && outcome.skipped.length === 0);
    if (without.length > 0) this.#rules.print(`nothing to compare: ${names(without)}`);
    if (comparisons > 0)
      this.#rules.print(
        `${count(comparisons)} comparisons, ${share(vacuous, comparisons)} of the bounds vacuous`,
      );
    else if (this.#failed === 0 && !this.#skipped) this.#fail("comparisons", "nothing was compared");
    if (vacuous > vacuousShare * comparisons)
      this.#fail("bounds", `more than ${share(vacuousShare, 1)} are vacuous`);
    this.#rules.print(`${this.#rules.label}: ${this.#passed} passed, ${this.#failed} failed`);
    return this.#failed === 0;
  }

  /** What wasn't tried, because the backend says that it can't promise it, and in which laws. */
  #excused(): void {
    for (const reason of new Set(this.#outcomes.flatMap(({ skipped }) => skipped))) {
      const laws = this.#outcomes.filter(({ skipped }) => skipped.includes(reason));
      const whole = laws.filter(isEmpty);
      const part = laws.length - whole.length;
      const where = [
        ...(part > 0 ? [`${part} ${part === 1 ? "law" : "laws"} in part`] : []),
        ...(whole.length > 0 ? [names(whole)] : []),
      ];
      this.#rules.print(`excused  ${reason}: ${where.join(", ")}`);
    }
  }

  get #passed(): number {
    return this.#outcomes.filter((outcome) => outcome.passed && !isEmpty(outcome)).length;
  }

  get #failed(): number {
    return this.#laws.length - this.#outcomes.filter(({ passed }) => passed).length + this.#others;
  }

  #fail(what: string, reason: string): void {
    this.#others++;
    this.#rules.print(`FAILED  ${what}: ${reason}`);
  }

  #detail(text: string): void {
    this.#rules.print(text.replace(/^/gm, "        "));
  }
}

/** About something that the backend hasn't got, or that it is excused from. */
const isEmpty = ({ passed, comparisons }: Outcome): boolean => passed && comparisons === 0;
const names = (outcomes: readonly Outcome[]): string => outcomes.map(({ law }) => law).join(", ");

const count = (n: number): string => n.toLocaleString("en");
const share = (part: number, whole: number): string => `${((100 * part) / Math.max(1, whole)).toFixed(2)}%`;
