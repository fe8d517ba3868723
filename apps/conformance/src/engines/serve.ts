// A folder of scripts as a page under a strict policy, on a port that the system picks.
import { readFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { moduleFiles } from "../module-files.ts";
import { moduleFile } from "../paths.ts";

const html =
  '<!doctype html><meta charset="utf-8"><title>Recurra</title><pre></pre><script type="module" src="page.js"></script>';

export interface Server {
  readonly url: string;
  close(): void;
}

/** What the policy allows besides the page's own files. */
export interface Sources {
  readonly scriptSources?: readonly string[];
  readonly workerSources?: readonly string[];
}

/**
 * Serves the scripts in `folder`, modules of WebAssembly beside them, and a page that loads page.js. The page is cross-origin isolated,
 * without which nobody has shared memory; a worker has the policy that its own script came with.
 */
export async function serve(
  folder: string,
  { scriptSources = [], workerSources = [] }: Sources,
): Promise<Server> {
  const headers = {
    "content-security-policy": [
      "default-src 'none'",
      ["script-src 'self'", ...scriptSources].join(" "),
      ["worker-src 'self'", ...workerSources].join(" "),
      "connect-src 'self'",
    ].join("; "),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
  };
  const answer: RequestListener = (request, response) => {
    const send = (status: number, type: string, body: string | Buffer) =>
      response.writeHead(status, { "content-type": type, ...headers }).end(body);
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    if (pathname === "/") return void send(200, "text/html", html);
    const name = basename(pathname);
    const module = moduleFiles.find((known) => name === `${known}.wasm`);
    if (!module && !name.endsWith(".js")) return void send(204, "text/plain", ""); // the browser asks for an icon
    readFile(module ? moduleFile(module) : join(folder, name)).then(
      (body) => send(200, module ? "application/wasm" : "text/javascript", body),
      () => send(404, "text/plain", `no ${pathname}`),
    );
  };
  const server = createServer(answer);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
