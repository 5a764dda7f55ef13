// Unpacks what the package of the browser brings into the folder that is named: node unpack.mjs FOLDER

import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { brotliDecompressSync } from "node:zlib";

const [folder] = process.argv.slice(2);
const from = `${folder}/node_modules/@sparticuz/chromium/bin`;
for (const name of readdirSync(from)) {
  const content = brotliDecompressSync(readFileSync(`${from}/${name}`));
  if (name.endsWith(".tar.br")) {
    execFileSync("tar", ["-xf", "-", "-C", folder], { input: content });
  } else {
    writeFileSync(`${folder}/${name.replace(/\.br$/, "")}`, content);
  }
}
chmodSync(`${folder}/chromium`, 0o755);
