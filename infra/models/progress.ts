/** How far a download is: one line that is written over on a terminal, else a line for each file. */

export type Progress = (file: string, bytes: number, total: number | undefined) => void;

const intervalMilliseconds = 100;

export function showProgress(stream: NodeJS.WriteStream): Progress {
  let toldAt = 0;
  let last = "";
  return (file, bytes, total) => {
    const done = bytes === total;
    const isNew = file !== last;
    if (!isNew && !done && (!stream.isTTY || Date.now() - toldAt < intervalMilliseconds)) return;
    [toldAt, last] = [Date.now(), file];
    const share = total === undefined ? "" : ` of ${(total / 1e6).toFixed(1)}`;
    const line = `${file}: ${(bytes / 1e6).toFixed(1)}${share} MB`;
    if (stream.isTTY) stream.write(`\r\x1b[K${line}${done ? "\n" : ""}`);
    else stream.write(`${line}\n`);
  };
}
