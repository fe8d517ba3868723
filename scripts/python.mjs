// The Python that has a module: Debian's packages are for its own, which may not be the first on PATH.
import { spawnSync } from "node:child_process";

/**
 * The first Python here that has the module, and the module's version.
 * @param {string} module
 * @returns {{ path: string, version: string } | undefined}
 */
export function findPython(module) {
  const words = ["-c", `import ${module}; print(${module}.__version__)`];
  for (const path of ["python3", "/usr/bin/python3"]) {
    const { status, stdout } = spawnSync(path, words, { encoding: "utf8" });
    if (status === 0) return { path, version: stdout.trim() };
  }
  return undefined;
}
