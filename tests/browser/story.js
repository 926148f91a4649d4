// A story is a test with a demo, a browser and visitors at hand, told in both languages.

import { after, afterEach, before, test } from "node:test";

import { launch } from "./chromium.js";
import { Demo } from "./demo.js";
import { Visitor } from "./visitor.js";

const LANGUAGES = ["zh-CN", "en"];

/**
 * One demo and one browser for a file's stories. Gives the function that tells one: its body gets `visit` (a new
 * visitor; further ones are other people) and `demo`. Whatever is odd on a page of any of them fails the story.
 * `browserOptions` are those of `launch`. `prepare` runs before the demo starts, and gives more of its command line's `flags`,
 * the `origins` besides its own that pages may load from, and further `instances`: changes to the configuration of the demo's
 * own, or a function of the demo that gives them, by name. A story may take a minute, or `timeout` milliseconds.
 */
export function stage(browserOptions, prepare = async () => ({})) {
  let demo;
  let browser;
  before(async () => {
    const { flags, origins = [], instances = {} } = await prepare();
    demo = Object.assign(await Demo.start(flags), { origins });
    browser = await launch({ wecom: demo.tls, ...browserOptions });
    for (const [name, changes] of Object.entries(instances)) {
      await demo.addInstance(name, typeof changes === "function" ? changes(demo) : changes);
    }
  });
  afterEach(() => demo.resetWecom());
  after(async () => {
    await browser?.close();
    await demo?.stop();
  });

  return function story(name, body, { timeout = 60_000 } = {}) {
    for (const language of LANGUAGES) {
      test(`${name} (${language})`, { timeout }, async () => {
        const visitors = [];
        const visit = async (options) => {
          const visitor = await Visitor.arrive(browser, demo, language, options);
          visitors.push(visitor);
          return visitor;
        };
        try {
          await body({ visit, demo });
          visitors.forEach((visitor) => visitor.assertNothingOdd());
        } finally {
          await Promise.all(visitors.map((visitor) => visitor.leave()));
        }
      });
    }
  };
}
