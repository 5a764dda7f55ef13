// `backstage-cli` with nothing in it but the commands `auth` and `actions`, as the whole of it loads them.
//
//   node backstage_cli.mjs FOLDER actions list
//
// FOLDER is what install.sh made.

import { createRequire } from "node:module";

const [folder] = process.argv.splice(2, 1);
// An import would look for the packages above this file; they are elsewhere.
const load = createRequire(`${folder}/package.json`);
const modules = ["@backstage/cli-module-auth", "@backstage/cli-module-actions"].map((name) => load(name).default);
// A dependency of theirs, and so not certain to lie at the top.
const { runCli } = createRequire(load.resolve("@backstage/cli-module-actions"))("@backstage/cli-node");
runCli({ name: "backstage-cli", version: "0", modules });
