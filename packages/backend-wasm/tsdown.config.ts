import { library } from "../../tsdown.base.ts";

// The second entry is for the last step of the build, which makes modules ahead of time.
export default library(["src/index.ts", "src/prebuild.ts"]);
