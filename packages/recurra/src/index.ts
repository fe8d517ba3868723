// Everything that most users need, in one package.
export * from "@recurra/core";
export * from "@recurra/backend-cpu";
