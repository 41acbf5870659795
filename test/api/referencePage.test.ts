/** The API reference as people see it: in a browser that reaches this machine only. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { browserSkip, openBrowser } from "../support/browser.ts";
import { type Deployment, deploy } from "../support/deployment.ts";
import { until } from "../support/until.ts";

let deployment: Deployment;
before(async () => {
  deployment = await deploy();
});
after(() => deployment.close());

test("the reference shows every operation, and asks nobody but this server", { skip: browserSkip }, async () => {
  const browser = await openBrowser();
  try {
    const page = await browser.newPage();
    const strangers: string[] = [];
    const complaints: string[] = [];
    page.on("request", (request) => {
      if (/^https?:/.test(request.url()) && new URL(request.url()).origin !== deployment.origin)
        strangers.push(request.url());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });

    const { paths } = (await (await fetch(`${deployment.origin}/openapi.json`)).json()) as { paths: object };
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    await page.goto(`${deployment.origin}/reference`);
    await page.locator(".opblock").first().waitFor();
    // Operations are drawn when they come into view; on a busy machine some are passed by before they are.
    const shown = new Set<string>();
    await until(
      async () => {
        for (const operation of await operationsOn(page)) shown.add(operation);
        await scrollOn(page);
        return shown.size >= operations.length;
      },
      { what: `${operations.length} operations to be drawn`, seconds: 60 },
    );
    assert.ok(operations.length > 10);
    assert.deepEqual([...shown].toSorted(), operations.toSorted());
    assert.deepEqual({ strangers, complaints }, { strangers: [], complaints: [] });
  } finally {
    await browser.close();
  }
});

/** Down, and at the end to the top again. */
function scrollOn(page: Page): Promise<void> {
  return page.locator("html").evaluate((html) => {
    const isAtEnd = html.scrollTop + html.clientHeight >= html.scrollHeight - 1;
    html.scrollTop = isAtEnd ? 0 : html.scrollTop + 600;
  });
}

function operationsOn(page: Page): Promise<string[]> {
  return page.locator(".opblock").evaluateAll((blocks) =>
    blocks.map((block) => {
      const text = (selector: string) => block.querySelector(selector)?.textContent?.replaceAll("\u200b", "").trim();
      return `${text(".opblock-summary-method")} ${text(".opblock-summary-path")}`;
    }),
  );
}
