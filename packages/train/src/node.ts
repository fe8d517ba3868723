/** What training needs of Node: checkpoints in files. */
export { checkpointFile, type CheckpointFileOptions } from "./node/checkpoint-file.ts";
