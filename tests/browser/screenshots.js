// Pictures of every page that people see, for whoever designs them:
// target/screenshots/<language>-<width>-<light or dark>/<page>.png

import { mkdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { launch } from "./chromium.js";
import { Demo } from "./demo.js";
import { setting, walk } from "./pages.js";
import { Visitor } from "./visitor.js";
import { wecomPages } from "./wecom_pages.js";

const FOLDER = fileURLToPath(new URL("../../target/screenshots/", import.meta.url));
const LANGUAGES = ["zh-CN", "en"];
const VIEWS = [
  { viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  { viewport: { width: 390, height: 844 }, colorScheme: "light", hasTouch: true, isMobile: true },
  { viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  { viewport: { width: 390, height: 844 }, colorScheme: "dark", hasTouch: true, isMobile: true },
  { viewport: { width: 820, height: 1180 }, colorScheme: "light", hasTouch: true, isMobile: true },
];

async function takeAll(demo, browser, language, view) {
  const folder = path.join(FOLDER, `${language}-${view.viewport.width}-${view.colorScheme}`);
  await mkdir(folder, { recursive: true });
  const visitors = [];
  const arrive = async (options) => {
    const visitor = await Visitor.arrive(browser, demo, language, { ...view, ...options });
    visitors.push(visitor);
    return visitor;
  };
  const look = (name, page) => page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
  await walk(demo, arrive, look);
  await wecomPages(demo, arrive, look);
  await Promise.all(visitors.map((visitor) => visitor.leave()));
}

const demo = await Demo.start(setting.flags);
const browser = await launch({ wecom: demo.tls });
try {
  for (const [name, changes] of Object.entries(setting.instances)) {
    await demo.addInstance(name, typeof changes === "function" ? changes(demo) : changes);
  }
  for (const language of LANGUAGES) {
    for (const view of VIEWS) {
      await takeAll(demo, browser, language, view);
      // Our side remembers for some seconds that WeCom does not accept its address.
      await demo.pass(60);
    }
  }
  console.log(`pictures in ${FOLDER}`);
} finally {
  await browser.close();
  await demo.stop();
}
