// Reads `cargo metadata` and prints the names of the tests that `cargo test` runs, but for those which know no feature that is
// off by default.
import { readFileSync } from "node:fs";

const featureless = ["catalogue", "compile_fail", "fleet", "it", "memory", "simulation", "soak"];
const [crate] = JSON.parse(readFileSync(0)).packages;
const names = crate.targets
    .filter(({ kind, test, name }) => kind.includes("test") && test && !featureless.includes(name))
    .map(({ name }) => name);
if (names.length === 0) throw new Error("no tests");
console.log(names.join("\n"));
