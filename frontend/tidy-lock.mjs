// npm notes who to thank as addresses; the lock is kept free of any.
import { readFileSync, writeFileSync } from "node:fs";

const lock = JSON.parse(readFileSync("package-lock.json"));
for (const row of Object.values(lock.packages)) {
  delete row.funding;
  delete row.resolved;
}
writeFileSync("package-lock.json", JSON.stringify(lock, null, 2) + "\n");
