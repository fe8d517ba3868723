// Where the kit can run. Only names here: the registry of backends is read in pages too, which know nothing of processes.

export const engineNames = ["node20", "node22", "node24", "chromium", "worker"] as const;

/** "chromium" is a page, "worker" a module worker in a page. */
export type EngineName = (typeof engineNames)[number];

export const nodes = ["node20", "node22", "node24"] as const satisfies readonly EngineName[];
export const browsers = ["chromium", "worker"] as const satisfies readonly EngineName[];
