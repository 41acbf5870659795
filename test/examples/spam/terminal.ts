/** What the demo shows in the terminal. */
import { plot } from "asciichart";
import { Presets, SingleBar } from "cli-progress";
import type { Confusion, Score } from "./measures.ts";

const live = process.stdout.isTTY === true;

/** One stage after another, each with its number and its seconds. */
export function stages(count: number) {
  let number = 0;
  return async <Result>(title: string, work: () => Result | Promise<Result>): Promise<Result> => {
    const start = performance.now();
    console.log(`\n[${++number}/${count}] ${title}`);
    const result = await work();
    console.log(`      ${seconds(performance.now() - start)}`);
    return result;
  };
}

export const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

export const tell = (line: string): void => console.log(`      ${line}`);

export interface Progress {
  /** `line` is what is written where nothing can move. */
  at(done: number, total: number, note: string, line?: string): void;
  end(): void;
}

const lineMilliseconds = 2000;

/** A bar in a terminal; elsewhere some of the lines it is given. */
export function progressBar(): Progress {
  return live ? movingBar() : writtenLines();
}

function movingBar(): Progress {
  const format = "      {bar} {value}/{total} {note}";
  const bar = new SingleBar({ format, barsize: 40, hideCursor: true, gracefulExit: true }, Presets.rect);
  let started = false;
  return {
    at(done, total, note) {
      if (!started) bar.start(total, done, { note });
      started = true;
      bar.update(done, { note });
    },
    end: () => bar.stop(),
  };
}

function writtenLines(): Progress {
  let lastAt = 0;
  return {
    at(_done, _total, _note, line) {
      if (!line || Date.now() - lastAt < lineMilliseconds) return;
      lastAt = Date.now();
      tell(line);
    },
    end: () => {},
  };
}

/** `values` in `width` columns, each the mean of those that fall into it. */
export function chart(values: readonly number[], width = 64, height = 8): string {
  const columns = Math.min(width, values.length);
  const means = Array.from({ length: columns }, (_, column) => {
    const from = Math.floor((column * values.length) / columns);
    const part = values.slice(from, Math.max(from + 1, Math.floor(((column + 1) * values.length) / columns)));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  return indent(plot(means, { height, padding: "        " }));
}

export function scoreTable(scores: readonly Score[]): string {
  const row = ({ name, right, total }: Score) => {
    const share = `${((100 * right) / total).toFixed(2)} %`;
    return `${name.padEnd(36)}${share.padStart(9)}   ${right} of ${total} right, ${total - right} wrong`;
  };
  return indent(scores.map(row).join("\n"));
}

export function confusionTable({ ham, spam }: Confusion): string {
  const row = (cells: (string | number)[]) => {
    return cells.map((cell, i) => (i ? String(cell).padStart(15) : String(cell).padEnd(12))).join("");
  };
  const rows = [
    row(["", "answered ham", "answered spam", "declined"]),
    row(["is ham", ham.ham, ham.spam, ham.none]),
    row(["is spam", spam.ham, spam.spam, spam.none]),
  ];
  return indent(rows.join("\n"));
}

/** The beginning of a text on one line, without what would move a terminal's cursor. */
export function snippet(text: string, length = 60): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, " ").trim();
  return line.length > length ? `${line.slice(0, length - 1)}…` : line.padEnd(length);
}

const indent = (block: string): string => block.replace(/^/gm, "      ");
