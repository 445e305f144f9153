// Opens reports in a browser and says what is wrong with them: a script of the guest's that runs, a request, an error on
// the console, an accessibility violation, a page wider than a phone. Run by `cargo xtask pages`:
//   node pages.mjs BROWSER FOLDER NAME...
// where FOLDER has NAME.html for each name and gets the screenshots.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const [browserPath, folder, ...names] = process.argv.slice(2);
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const views = [
  { width: 320, scheme: "light" },
  { width: 320, scheme: "dark" },
  { width: 1440, scheme: "light" },
  { width: 1440, scheme: "dark" },
];
const found = [];

// Collects what a page must not do while it is open.
function watch(page, where) {
  const say = (what) => found.push(`${where}: ${what}`);
  page.on("console", (message) => say(`console: ${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => say(`error: ${error}`));
  page.on("dialog", async (dialog) => {
    say(`a script opened a dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on("request", (request) => {
    const url = request.url();
    if (url !== page.wanted && !url.startsWith("data:")) say(`request of ${url.slice(0, 120)}`);
  });
  page.on("framenavigated", (frame) => {
    if (frame !== page.mainFrame()) say("a frame was made");
  });
  page.on("popup", () => say("a window was opened"));
  return say;
}

async function open(browser, name, view, scripts) {
  const page = await browser.newPage();
  page.wanted = pathToFileURL(join(folder, `${name}.html`)).href;
  const say = watch(page, `${name} at ${view.width}, ${view.scheme}${scripts ? "" : ", no script"}`);
  await page.setJavaScriptEnabled(scripts);
  await page.setViewport({ width: view.width, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: view.scheme }]);
  await page.goto(page.wanted, { waitUntil: "load" });
  return { page, say };
}

// Hovers, focuses and opens what there is: handlers of attributes would run now.
async function poke(page) {
  await page.evaluate(() => {
    for (const details of document.querySelectorAll("details")) details.open = true;
    const events = ["mouseover", "focus", "click", "error", "load", "input"];
    for (const element of document.querySelectorAll("body *:not(a):not(button):not(input)")) {
      for (const type of events) element.dispatchEvent(new Event(type));
    }
  });
}

async function check(browser, name, view) {
  const { page, say } = await open(browser, name, view, true);
  const facts = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    scripts: document.scripts.length,
    unhidden: document.querySelectorAll("[data-script][hidden]").length,
    background: getComputedStyle(document.body).backgroundColor,
  }));
  if (facts.wide > 0) say(`the page is ${facts.wide} pixels too wide`);
  if (facts.scripts !== 1) say(`${facts.scripts} scripts`);
  if (facts.unhidden > 0) say("the script did not run");
  const dark = facts.background === "rgb(18, 18, 18)";
  if (dark !== (view.scheme === "dark")) say(`the background is ${facts.background}`);
  await page.keyboard.press("Tab");
  const first = await page.evaluate(() => document.activeElement?.textContent);
  if (first !== "Skip to the verdict") say(`the first stop of the keyboard is ${first}`);
  await page.evaluate(() => document.activeElement?.blur());
  await page.screenshot({ path: join(folder, `${name}-${view.width}-${view.scheme}-top.png`) });
  await filter(page, say);
  await poke(page);
  await page.evaluate(axe);
  const results = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  for (const it of results.violations) {
    say(`axe: ${it.id}: ${it.help}: ${it.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
  }
  await page.evaluate(() => scrollTo(0, 0));
  const height = await page.evaluate(() => Math.min(document.documentElement.scrollHeight, 12_000));
  await page.screenshot({
    path: join(folder, `${name}-${view.width}-${view.scheme}.png`),
    clip: { x: 0, y: 0, width: view.width, height },
    captureBeyondViewport: true,
  });
  await page.close();
}

// Words that no finding has hide all of them; no words show all.
async function filter(page, say) {
  if (!(await page.$("#filter-text"))) return;
  const shown = () => page.evaluate(() => document.querySelectorAll("article[data-grade]:not([hidden])").length);
  const all = await shown();
  await page.type("#filter-text", "no finding says this");
  if (all > 0 && (await shown()) !== 0) say("the filter does not filter");
  await page.evaluate(() => {
    document.querySelector("#filter-text").value = "";
    document.querySelector("#filter").dispatchEvent(new Event("input"));
  });
  if ((await shown()) !== all) say("the filter does not show again what it hid");
}

async function withoutScript(browser, name) {
  const { page, say } = await open(browser, name, views[2], false);
  const text = await page.$eval("main", (main) => main.innerText);
  for (const wanted of ["Capability profile", "Findings", "Import audit", "Provenance"]) {
    if (!text.includes(wanted)) say(`does not say ${wanted}`);
  }
  await page.emulateMediaType("print");
  await page.pdf({ path: join(folder, `${name}.pdf`), format: "A4" });
  await page.close();
}

const profile = await mkdtemp(join(tmpdir(), "wasmos-pages-"));
const browser = await puppeteer.launch({
  executablePath: browserPath,
  userDataDir: profile,
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ],
});
try {
  for (const name of names) {
    for (const view of views) await check(browser, name, view);
    await withoutScript(browser, name);
    console.log(`${name}: ${views.length + 1} views`);
  }
} finally {
  await browser.close();
  await rm(profile, { recursive: true, force: true });
}
for (const line of found) console.log(line);
console.log(`pages: ${found.length} findings`);
process.exit(found.length > 0 ? 1 : 0);
