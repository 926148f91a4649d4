// Builds dist/: one ES module with its types for npm, and the scripts that the server serves. The output is committed,
// so that building the server needs no npm; test/build.test.js fails when it is not that of the sources any more.
//
// usage: node build.js [FOLDER]

import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.resolve(process.argv[2] ?? path.join(here, "dist"));
const tsc = path.join(path.dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");

// Old enough for the web views inside WeCom, which are years behind.
const common = { absWorkingDir: here, bundle: true, target: "es2020", charset: "utf8", legalComments: "none" };

execFileSync(process.execPath, [tsc, "--outDir", out], { cwd: here, stdio: "inherit" });
await build({ ...common, entryPoints: ["src/index.ts"], format: "esm", outfile: path.join(out, "index.js") });
await build({ ...common, entryPoints: ["src/served.ts"], format: "esm", outfile: path.join(out, "client.js") });
await build({ ...common, entryPoints: ["src/global.ts"], format: "iife", outfile: path.join(out, "client.global.js") });
await build({ ...common, entryPoints: ["src/login_page.ts"], format: "esm", outfile: path.join(out, "login_page.js") });
