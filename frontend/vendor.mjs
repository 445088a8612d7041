// Copies what the pages need at run time, with each licence beside it.
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";

const to = "../dashboard/static/dashboard/vendor/";
mkdirSync(to, { recursive: true });
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version;

for (const [from, name] of [
  ["uplot/dist/uPlot.iife.min.js", "uplot.js"],
  ["uplot/dist/uPlot.min.css", "uplot.css"],
  ["uplot/LICENSE", "uplot.LICENSE"],
  ["@fontsource-variable/inter/files/inter-latin-wght-normal.woff2", "inter.woff2"],
  ["@fontsource-variable/inter/LICENSE", "inter.LICENSE"],
  ["daisyui/LICENSE", "daisyui.LICENSE"],
]) {
  copyFileSync(`node_modules/${from}`, to + name);
}
console.log(`uPlot ${version("uplot")}, Inter ${version("@fontsource-variable/inter")}`);
