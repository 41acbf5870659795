/** The run as one picture: loss, accuracy beside the baselines, calibration. */
import { init } from "echarts";
import { type Bin, leastMails, type Score } from "./measures.ts";

export interface LossPoint {
  step: number;
  train: number;
  valid: number | undefined;
}

export interface Run {
  /** Such as what was learned from, and when. */
  subtitle: string;
  loss: LossPoint[];
  scores: Score[];
  bins: Bin[];
}

const [width, height] = [1100, 760];
const colours = { ours: "#1b6ca8", other: "#b8c4ce", valid: "#d9822b", text: "#22303c", faint: "#77858f" };
const panels = [
  { title: "Loss while training", left: 70, top: 130, width: 980, height: 200 },
  { title: "Held-out mails answered right", left: 200, top: 450, width: 360, height: 230 },
  { title: `Calibration: groups of at least ${leastMails} mails`, left: 700, top: 450, width: 350, height: 230 },
];

export function renderReport(run: Run): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: "#ffffff",
      textStyle: { color: colours.text, fontFamily: "Helvetica, Arial, sans-serif" },
      title: titles(run.subtitle),
      legend: { data: ["training", "validation"], top: 84, right: 46, itemGap: 24 },
      grid: panels.map(({ title, ...place }) => place),
      ...mergePanels([lossPanel(run), accuracyPanel(run), calibrationPanel(run)]),
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

interface Panel {
  xAxis: object;
  yAxis: object;
  series: object[];
}

function mergePanels(all: Panel[]) {
  return {
    xAxis: all.map(({ xAxis }, gridIndex) => ({ ...xAxis, gridIndex })),
    yAxis: all.map(({ yAxis }, gridIndex) => ({ ...yAxis, gridIndex })),
    series: all.flatMap(({ series }, i) => series.map((one) => ({ ...one, xAxisIndex: i, yAxisIndex: i }))),
  };
}

function titles(subtext: string): object[] {
  const small = { fontSize: 15, fontWeight: "bold", color: colours.text };
  const main = {
    text: "A spam filter, fine-tuned by Millrace",
    subtext,
    left: 24,
    top: 16,
    textStyle: { fontSize: 22 },
  };
  const ofPanels = panels.map(({ title, left, top }, i) => {
    return { text: title, left: i === 2 ? left - 46 : 24, top: top - 48, textStyle: small };
  });
  return [main, ...ofPanels];
}

const axisName = (name: string, nameGap: number) => {
  return { name, nameLocation: "middle", nameGap, nameTextStyle: { color: colours.faint } };
};

function lossPanel({ loss }: Run): Panel {
  const judged = loss.filter(({ valid }) => valid !== undefined);
  // What was chosen by a race is not judged on the way.
  const again = judged.at(-1)?.step ?? loss.at(-1)!.step;
  const label = { show: true, formatter: "{b}", position: "end", color: colours.faint };
  return {
    xAxis: { type: "value", min: 0, max: loss.at(-1)!.step, splitLine: { show: false }, ...axisName("step", 28) },
    yAxis: { type: "value", min: 0 },
    series: [
      {
        type: "line",
        name: "training",
        data: loss.map(({ step, train }) => [step, train]),
        showSymbol: false,
        lineStyle: { width: 1.2 },
        itemStyle: { color: colours.ours },
        markLine:
          again < loss.at(-1)!.step
            ? { symbol: "none", label, data: [{ name: "learned afresh from all mails", xAxis: again }] }
            : undefined,
      },
      {
        type: "line",
        name: "validation",
        data: judged.map(({ step, valid }) => [step, valid]),
        symbolSize: 7,
        itemStyle: { color: colours.valid },
      },
    ],
  };
}

function accuracyPanel({ scores }: Run): Panel {
  const bars = scores.map(({ right, total }, i) => ({
    value: (100 * right) / total,
    itemStyle: { color: i === scores.length - 1 ? colours.ours : colours.other },
    label: {
      show: true,
      position: "insideRight",
      color: i === scores.length - 1 ? "#ffffff" : colours.text,
      formatter: `${((100 * right) / total).toFixed(2)} %   ${total - right} wrong`,
    },
  }));
  return {
    xAxis: { type: "value", min: 0, max: 100, axisLabel: { formatter: "{value} %" } },
    yAxis: { type: "category", data: scores.map(({ name }) => name), inverse: true, axisTick: { show: false } },
    series: [{ type: "bar", data: bars, barWidth: 34 }],
  };
}

function calibrationPanel({ bins }: Run): Panel {
  const share = { type: "value", min: 0, max: 1 };
  return {
    xAxis: { ...share, ...axisName("probability of spam, as answered", 28) },
    yAxis: { ...share, ...axisName("share that was spam", 36) },
    series: [
      {
        type: "line",
        data: [
          [0, 0],
          [1, 1],
        ],
        showSymbol: false,
        lineStyle: { type: "dashed", width: 1, color: colours.faint },
      },
      {
        type: "line",
        data: bins.map(({ said, was, mails }) => ({
          value: [said, was, mails],
          label: { show: true, formatter: String(mails), color: colours.faint, position: was > 0.5 ? "bottom" : "top" },
        })),
        symbol: "circle",
        symbolSize: ([, , mails]: number[]) => 5 + 4 * Math.log10(mails!),
        itemStyle: { color: colours.ours },
      },
    ],
  };
}
