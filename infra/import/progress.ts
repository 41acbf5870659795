/** How far an import or an export is: one line that is written over on a terminal, else a line for each step. */

const intervalMilliseconds = 100;

export function showCount(stream: NodeJS.WriteStream): (what: string, done: number, total: number) => void {
  let toldAt = 0;
  let last = "";
  return (what, done, total) => {
    const isOver = done >= total;
    if (what === last && !isOver && (!stream.isTTY || Date.now() - toldAt < intervalMilliseconds)) return;
    [toldAt, last] = [Date.now(), what];
    const line = `${what}: ${done}${Number.isFinite(total) ? ` of ${total}` : ""}`;
    stream.write(stream.isTTY ? `\r\x1b[K${line}${isOver ? "\n" : ""}` : `${line}\n`);
  };
}
