// The import direction of docs/architecture.md: apps → (train, conformance, backends) → core, and inside core
// cells → cell → expr ← adjoint ← compile. Imports of types count. Tests may import any package, so the rules about
// direction start from sources only; no cycle may pass through a test either.

/** Names in `packages/core/src`, files and folders alike, as one pattern. */
const core = (...names) => `^packages/core/src/(${names.join("|")})(/|\\.ts$)`;

/** Everything that builds on declared cells and on the graph; what declares them mustn't know of it. */
const uses = ["compile", "oracle", "model", "network", "stream", "gradient", "explain", "index", "internal"];

const rule = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });
const source = "^packages/[^/]+/src/";

export default {
  forbidden: [
    rule("no-cycle", "A cycle has no direction.", {}, { circular: true }),
    rule("resolvable", "Every import leads somewhere.", {}, { couldNotResolve: true }),

    rule("packages-not-apps", "Packages know no app.", { path: "^packages/" }, { path: "^apps/" }),
    rule(
      "apps-apart",
      "No app imports another.",
      { path: "^apps/([^/]+)/" },
      { path: "^apps/", pathNot: "^apps/$1/" },
    ),
    rule(
      "core-alone",
      "Core has no runtime dependency and knows no device; pure-rand is built into it.",
      { path: "^packages/core/src/" },
      { pathNot: ["^packages/core/src/", "/node_modules/pure-rand/"] },
    ),
    rule(
      "middle-to-core",
      "Backends, train and conformance import core alone of all packages; conformance is given its backend.",
      { path: "^packages/(?!core/|recurra/)([^/]+)/src/" },
      { path: "^packages/", pathNot: "^packages/($1|core)/" },
    ),
    rule(
      "by-name",
      "Another package is entered through its entry points.",
      { path: "^(?:packages|apps)/([^/]+)/src/" },
      { path: source, pathNot: ["^packages/$1/src/", `${source}(index|internal|node|terminal)\\.ts$`] },
    ),
    rule("no-tests", "Sources import no test.", { path: "/src/" }, { path: "/test/" }),

    rule("contract-alone", "The contract imports nothing.", { path: core("backend") }, { path: "." }),
    rule(
      "expr-below",
      "The graph knows neither cells nor what is derived from it.",
      { path: core("expr", "functions", "errors") },
      { path: core("cells", "cell", "adjoint", ...uses) },
    ),
    rule(
      "cell-to-expr",
      "A declaration knows the graph only.",
      { path: core("cell") },
      { path: core("cells", "adjoint", "backend", ...uses) },
    ),
    rule(
      "cells-to-cell",
      "A cell is its equations.",
      { path: core("cells") },
      { path: core("adjoint", "backend", ...uses) },
    ),
    rule(
      "adjoint-to-expr",
      "The adjoint is derived from the graph, whatever cell it came from.",
      { path: core("adjoint") },
      { path: core("cells", "cell", "backend", ...uses) },
    ),
    rule(
      "compile-above",
      "The planner plans any graph; no cell is special to it, and no model is known to it.",
      { path: core("compile") },
      { path: core("cells", "cell", "model", "network", "stream", "gradient", "index", "internal") },
    ),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "/(dist|fixtures)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["@recurra/source", "import", "default"],
      extensions: [".ts", ".js", ".mjs"],
    },
  },
};
