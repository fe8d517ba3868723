import { library } from "../../tsdown.base.ts";

// Besides what users import: what the last step of the build and the roofline's probes need.
export default library(["src/index.ts", "src/prebuild.ts", "src/assembler.ts"]);
