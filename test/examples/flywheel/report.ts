/** Accuracy by turn as one picture. */
import { init } from "echarts";

export interface Line {
  name: string;
  /** Percent: before the first turn, and after each. */
  values: number[];
}

export interface Run {
  subtitle: string;
  lines: Line[];
  /** By turn: whether its candidate was promoted. */
  promoted: boolean[];
  /** What was stopped, and why. */
  stopped: string[];
}

const colours = ["#1b6ca8", "#d9822b", "#98a4ae"];
const [text, faint] = ["#22303c", "#77858f"];

export function renderReport({ subtitle, lines, promoted, stopped }: Run): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width: 1000, height: 560 });
  const all = lines.flatMap(({ values }) => values);
  const notes = stopped.map((line, i) => {
    return {
      type: "text",
      left: 60,
      top: 470 + 40 * i,
      style: { text: line, fontSize: 13, fill: text, width: 900, overflow: "break" },
    };
  });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: "#ffffff",
      textStyle: { color: text, fontFamily: "Helvetica, Arial, sans-serif" },
      title: { text: "A spam filter that learns from its users", subtext: subtitle, left: 24, top: 16 },
      legend: { data: lines.map(({ name }) => name), top: 84, left: 56 },
      grid: { left: 60, right: 130, top: 130, height: 290 },
      xAxis: {
        type: "category",
        boundaryGap: false,
        data: ["first model", ...promoted.map((isIn, i) => `turn ${i + 1}${isIn ? "" : "\nnot promoted"}`)],
        axisLabel: { color: faint },
      },
      yAxis: {
        type: "value",
        min: Math.floor(Math.min(...all)) - 1,
        max: Math.min(100, Math.ceil(Math.max(...all)) + 1),
        axisLabel: { formatter: "{value} %" },
      },
      series: lines.map(({ name, values }, i) => ({
        ...{ type: "line", name, data: values, symbolSize: 8, itemStyle: { color: colours[i] } },
        lineStyle: { width: i === 0 ? 3 : 1.6 },
        endLabel: {
          show: true,
          formatter: ({ value }: { value: number }) => `${value.toFixed(1)} %`,
          color: colours[i],
        },
      })),
      graphic: notes,
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}
