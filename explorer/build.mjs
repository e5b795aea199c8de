// Builds the page into the package: node build.mjs [--check]. With --check nothing is written; it
// fails if what lies in the package is not what the sources make.

import { readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const here = new URL(".", import.meta.url);
const target = new URL("../src/firth/service/explorer/static/", here);

const bundled = await build({
  absWorkingDir: new URL(".", here).pathname,
  entryPoints: ["src/main.ts"],
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  write: false,
});
const styled = await build({
  absWorkingDir: new URL(".", here).pathname,
  entryPoints: ["src/explorer.css"],
  minify: true,
  write: false,
});

// Every package that went into the bundle, with its licence.
const packages = new Set(
  Object.keys(bundled.metafile.inputs)
    .map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1])
    .filter(Boolean),
);
const licences = ["explorer.js contains these packages, each under its licence.\n"];
for (const name of [...packages].sort()) {
  const folder = new URL(`node_modules/${name}/`, here);
  const about = JSON.parse(await readFile(new URL("package.json", folder), "utf8"));
  let text = `Licence: ${about.license}`;
  for (const file of ["LICENSE", "LICENSE.md", "LICENSE.txt"]) {
    try {
      text = await readFile(new URL(file, folder), "utf8");
      break;
    } catch {
      // Another name, or none in the package.
    }
  }
  licences.push(`${"-".repeat(80)}\n${name} ${about.version}\n\n${text.trim()}\n`);
}

const files = {
  "explorer.js": bundled.outputFiles[0].text,
  "explorer.css": styled.outputFiles[0].text,
  "explorer.html": await readFile(new URL("src/explorer.html", here), "utf8"),
  "licences.txt": licences.join("\n").replaceAll("\r\n", "\n"),
};

let stale = 0;
for (const [name, text] of Object.entries(files)) {
  const path = new URL(name, target);
  if (!process.argv.includes("--check")) {
    await writeFile(path, text);
  } else if ((await readFile(path, "utf8").catch(() => "")) !== text) {
    console.error(`${path.pathname} is not what the sources make: run 'npm run build' in explorer/`);
    stale++;
  }
}
process.exitCode = stale ? 1 : 0;
