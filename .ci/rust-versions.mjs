// Whether a dependency says that it needs a newer Rust than the crate says. Reads what `cargo metadata` prints.
// Dev-dependencies don't count, since nobody who uses the crate builds them.

import { readFileSync } from 'node:fs';

const { packages, resolve } = JSON.parse(readFileSync(0, 'utf8'));
const node = (id) => resolve.nodes.find((node) => node.id === id);
const crate = (id) => packages.find((crate) => crate.id === id);

// It grows while it is walked.
const built = new Set([resolve.root]);
for (const id of built) {
  for (const { pkg, dep_kinds } of node(id).deps) {
    if (dep_kinds.some(({ kind }) => kind !== 'dev')) built.add(pkg);
  }
}

// `1.88` and `1.88.0` are the same.
const newer = (a, b) => {
  const [one, other] = [a, b].map((version) => version.replace(/^\d+\.\d+$/, '$&.0'));
  return one.localeCompare(other, 'en', { numeric: true }) > 0;
};
const ours = crate(resolve.root).rust_version;
const late = [...built].map(crate).filter(({ rust_version }) => rust_version && newer(rust_version, ours));
for (const { name, version, rust_version } of late) console.log(`${name} ${version} needs Rust ${rust_version}`);
console.log(`${late.length} of ${built.size - 1} dependencies need a newer Rust than ${ours}`);
process.exitCode = late.length ? 1 : 0;
