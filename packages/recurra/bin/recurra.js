#!/usr/bin/env node
// Here before anything is built, so that installing links the command.
await import(new URL("../dist/cli.js", import.meta.url).href);
