import { program } from "../../tsdown.base.ts";

export default program(["src/learn.ts"]);
