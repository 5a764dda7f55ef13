// The process that the tests start: as many Backstage backends as they ask for. A line of JSON on stdin for each
// request, a line on stdout for each answer; it ends with its stdin, so it never outlives the tests.

const { rmSync } = require('node:fs');
const { dirname } = require('node:path');
const { createInterface } = require('node:readline');

// Where a library writes to the console is not where answers go.
const answer = message => process.stdout.write(`${JSON.stringify(message)}\n`);
console.log = console.info = console.debug = console.error;

const { start } = require('./backend');

const running = new Map();

async function serve({ id, start: options, stop }) {
  const began = performance.now();
  try {
    if (options) running.set(id, { stop: await start(options), folder: dirname(options.log) });
    if (stop) {
      await running.get(id)?.stop();
      running.delete(id);
    }
    answer({ id, milliseconds: Math.round(performance.now() - began), resident: process.memoryUsage.rss() });
  } catch (error) {
    answer({ id, failed: `${error?.stack ?? error}` });
  }
}

createInterface({ input: process.stdin })
  .on('line', line => serve(JSON.parse(line)))
  .on('close', () => {
    // those that run still are the ones that nobody else clears away
    for (const { folder } of running.values()) rmSync(folder, { recursive: true, force: true });
    process.exit(0);
  });
