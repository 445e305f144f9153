// Runs a program under Node.js: node wasi.mjs MODULE [HOST::GUEST…] -- [ARGS…]
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { WASI } from 'node:wasi';

const [file, ...rest] = process.argv.slice(2);
const end = rest.indexOf('--');
const preopens = Object.fromEntries(rest.slice(0, end).map(dir => dir.split('::').reverse()));
const wasi = new WASI({ version: 'preview1', args: [basename(file), ...rest.slice(end + 1)], preopens, returnOnExit: true });
const module = await WebAssembly.compile(await readFile(file));
process.exitCode = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
