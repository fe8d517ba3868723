// Not written yet: fails, so that nothing passes for it.
process.exitCode = 1;
export {};
