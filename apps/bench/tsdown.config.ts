import { program } from "../../tsdown.base.ts";

export default program(["src/bench.ts", "src/child.ts"]);
