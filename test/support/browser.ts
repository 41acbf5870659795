/** A real browser for pages: Debian's chromium, or the one that MILLRACE_CHROMIUM names. */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const executablePath = process.env.MILLRACE_CHROMIUM ?? "/usr/bin/chromium";

/** What to pass to a test as its `skip` option. */
export const browserSkip: string | false = existsSync(executablePath)
  ? false
  : `there is no ${executablePath} (apt-get install chromium, or set MILLRACE_CHROMIUM)`;

/** Headless. Sandboxing needs privileges that containers lack, and the pages under test are our own. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}
