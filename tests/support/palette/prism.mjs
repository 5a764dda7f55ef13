// Holds what passes against the contract: prism of `@stoplight/prism-cli`, as a proxy on a free loopback port.
//
//   node prism.mjs FOLDER CONTRACT UPSTREAM
//
// FOLDER is what install.sh made. Prism says on stdout where it listens, and then what it finds. It ends when its
// stdin ends, so it never outlives the tests.

import { ServerResponse } from "node:http";
import { createRequire } from "node:module";

const [folder, contract, upstream] = process.argv.slice(2);
const end = () => process.exit(0);
process.stdin.on("end", end).resume();
process.stdout.on("error", end);
// It puts what it finds into a header too, and what no header can hold would be its end.
const { setHeader } = ServerResponse.prototype;
const escaped = (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
ServerResponse.prototype.setHeader = function (name, value) {
  const safe = name === "sl-violations" ? value.replace(/[^ -~]/g, escaped) : value;
  return setHeader.call(this, name, safe);
};
process.argv.splice(
  2, Infinity,
  "proxy", "--host", "127.0.0.1", "--port", "0", "--no-multiprocess", "--no-cors", contract, upstream);
createRequire(`${folder}/package.json`)("@stoplight/prism-cli/dist/index.js");
