// SPDX-License-Identifier: MIT
// Bundles src/main.ts, style.css and icon.svg under names that carry a hash of
// their content, and writes the index.html that refers to them.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2];
const assets = join(out, 'assets');

// The interactive sample of each language, for a server that sends none.
const samples = {
    name: 'samples',
    setup(bundle) {
        const root = join(here, '..', 'languages', 'samples');
        bundle.onResolve({ filter: /^runnel:samples$/ }, () => ({ path: 'samples', namespace: 'samples' }));
        bundle.onLoad({ filter: /.*/, namespace: 'samples' }, () => {
            const found = {};
            for (const entry of readdirSync(root, { withFileTypes: true })) {
                if (!entry.isDirectory()) continue;
                const folder = join(root, entry.name);
                const file = readdirSync(folder).find((name) => name.startsWith('stdin.'));
                if (file) found[entry.name] = readFileSync(join(folder, file), 'utf8');
            }
            return { contents: JSON.stringify(found), loader: 'json' };
        });
    },
};

function hashed(name, bytes) {
    const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 10);
    const [stem, extension] = name.split('.');
    const path = `assets/${stem}-${hash}.${extension}`;
    writeFileSync(join(out, path), bytes);
    return path;
}

// Their licences ask to be passed on with the code.
function licences(inputs) {
    const packages = new Set();
    for (const input of Object.keys(inputs)) {
        const match = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input.split(sep).join('/'));
        if (match) packages.add(match[1]);
    }
    const parts = [...packages].sort().map((name) => {
        const folder = join(here, 'node_modules', name);
        const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
        const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
        if (!file) throw new Error(`${name} brings no licence text`);
        return `${name} ${version}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
    });
    return parts.join(`\n${'-'.repeat(72)}\n\n`);
}

rmSync(assets, { recursive: true, force: true });
mkdirSync(assets, { recursive: true });
const { metafile } = await build({
    absWorkingDir: here,
    entryPoints: [join(here, 'src', 'main.ts'), join(here, 'style.css')],
    outdir: assets,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    charset: 'utf8',
    legalComments: 'none',
    metafile: true,
    plugins: [samples],
});

const outputs = Object.entries(metafile.outputs);
const fromOut = (path) => relative(out, join(here, path)).split(sep).join('/');
const entry = (source) => outputs.find(([, output]) => output.entryPoint === source);
const [mainPath, main] = entry('src/main.ts');
const preloads = main.imports
    .filter(({ kind }) => kind === 'import-statement')
    .map(({ path }) => `<link rel="modulepreload" href="${fromOut(path)}">`);
const names = {
    MAIN: fromOut(mainPath),
    STYLE: fromOut(entry('style.css')[0]),
    ICON: hashed('icon.svg', readFileSync(join(here, 'icon.svg'))),
    LICENCES: hashed('licences.txt', licences(metafile.inputs)),
    PRELOADS: preloads.join('\n'),
};
const page = readFileSync(join(here, 'index.html'), 'utf8').replace(/\{\{([A-Z]+)\}\}/g, (whole, name) => {
    if (!(name in names)) throw new Error(`index.html: ${whole} has no value`);
    return names[name];
});

// Last: the program's build takes this file as the sign that all others are there.
const index = join(out, 'index.html');
if (!existsSync(index) || readFileSync(index, 'utf8') !== page) writeFileSync(index, page);
const bytes = outputs.reduce((sum, [, output]) => sum + output.bytes, 0);
console.log(`${out}: ${outputs.length + 3} files, ${Math.round(bytes / 1024)} KiB before compression`);
