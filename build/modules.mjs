// Runs after the bundler, on any Node from 20 on. From the lock file and from what the bundler put into dist it makes
// dist/modules.json, which "instar version" prints, and THIRD-PARTY-NOTICES, with the licences of what is in dist.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** For packages that name this licence and leave its text out. */
const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const METAFILE = join(ROOT, 'dist', 'metafile.json');

const { packages } = readJson(join(ROOT, 'package-lock.json'));
const metafile = readJson(METAFILE);
const bundled = bundledPlaces(metafile);
removeOthers(metafile);

const modules = Object.entries(packages)
  .filter(([place, { dev, link }]) => place !== '' && !link && (!dev || bundled.has(place)))
  .map(([place, { version, integrity }]) => ({
    name: nameOf(place),
    version,
    integrity,
    ...(bundled.has(place) && { bundled: true }),
  }))
  .sort((a, b) => a.name.localeCompare(b.name) || a.version.localeCompare(b.version));
writeFileSync(join(ROOT, 'dist', 'modules.json'), `${JSON.stringify(modules, undefined, 1)}\n`);
writeFileSync(join(ROOT, 'THIRD-PARTY-NOTICES'), notices());

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** What an earlier build has left in dist must not be packed. */
function removeOthers({ outputs }) {
  const dist = join(ROOT, 'dist');
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !Object.hasOwn(outputs, relative(ROOT, path).replaceAll('\\', '/'))) rmSync(path);
  }
}

/** `node_modules/ink/node_modules/chalk` is `chalk`. */
function nameOf(place) {
  return place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

/** The folders of the packages of which something is in dist. */
function bundledPlaces({ inputs }) {
  const places = Object.keys(inputs).flatMap(
    (input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? [],
  );
  return new Set(places);
}

/** The licences, a text only once however many packages have it. Fails for a package that comes without one. */
function notices() {
  const texts = new Map();
  for (const place of [...bundled].sort((a, b) => nameOf(a).localeCompare(nameOf(b)))) {
    const folder = join(ROOT, place);
    const { name, version, license } = readJson(join(folder, 'package.json'));
    if (typeof license !== 'string') throw new Error(`${name} ${version} does not say under which licence it is`);
    const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)(\.|-|$)/i.test(file));
    const text =
      files.length > 0 ? files.map((file) => readFileSync(join(folder, file), 'utf8').trim()).join('\n\n') : '';
    const whole = text || withoutFile(folder, name, license);
    const heading = `${name} ${version} (${license})`;
    texts.set(whole, (texts.get(whole) ?? new Set()).add(heading));
  }
  const parts = Array.from(texts, ([text, headings]) => `${[...headings].join('\n')}\n\n${text}\n`);
  const rule = `\n${'-'.repeat(80)}\n\n`;
  return `The program in dist contains the following packages. What it finds in node_modules comes with its own licence.\n${rule}${parts.join(rule)}`;
}

/** Some packages have their licence in the README, or only name it. */
function withoutFile(folder, name, license) {
  const readme = readdirSync(folder).find((file) => /^readme(\.|$)/i.test(file));
  const text = readme === undefined ? '' : readFileSync(join(folder, readme), 'utf8');
  const section = /^#+ *licen[cs]e *\n(.*?)(?=^#|(?![\s\S]))/ims.exec(text)?.[1].trim();
  const { author } = readJson(join(folder, 'package.json'));
  const owner = typeof author === 'string' ? author : author?.name;
  if (license !== 'MIT' || owner === undefined) throw new Error(`${name} comes without the text of its licence`);
  return [`Copyright (c) ${owner.replace(/ *[<(].*$/, '')}`, section, MIT].filter(Boolean).join('\n\n');
}
