// Lies beside a peer's node_modules: an `import` finds what is installed there.

/** @param {string} name */
export const load = (name) => import(name);
