// Reads `cargo metadata` and prints the names of the tests that `cargo test` runs, but for the simulation.
import { readFileSync } from "node:fs";

const [crate] = JSON.parse(readFileSync(0)).packages;
const names = crate.targets
    .filter(({ kind, test, name }) => kind.includes("test") && test && name !== "simulation")
    .map(({ name }) => name);
if (names.length === 0) throw new Error("no tests");
console.log(names.join("\n"));
