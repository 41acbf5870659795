/** The search as a picture: every policy by what it costs and how long jobs wait, and the one that was chosen. */
import { init } from "echarts";
import { costOf, type Tried, waitOf } from "./fleetSearch.ts";

export interface Searched {
  readonly title: string;
  readonly tried: readonly Tried[];
  readonly best: readonly Tried[];
  readonly chosen: Tried;
}

const [width, height] = [1100, 560];
const colours = { other: "#b8c4ce", best: "#1b6ca8", chosen: "#d9822b", text: "#22303c" };
const panels = [
  { left: 80, top: 130, width: 420, height: 340 },
  { left: 620, top: 130, width: 420, height: 340 },
];

/** One panel for each fleet, two at most. */
export function renderSearch(searches: readonly Searched[], subtext: string): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: "#ffffff",
      textStyle: { color: colours.text, fontFamily: "Helvetica, Arial, sans-serif" },
      title: [
        { text: "Scaling policies, simulated: dollars a day against waiting", subtext, left: 40, top: 16 },
        ...searches.map(({ title }, i) => ({
          text: title,
          left: panels[i]!.left,
          top: 98,
          textStyle: { fontSize: 14 },
        })),
      ],
      legend: { data: ["tried", "none better in both", "chosen"], bottom: 14 },
      grid: panels.slice(0, searches.length),
      xAxis: searches.map((_, gridIndex) => ({ ...axis("dollars a day, geometric mean of the patterns"), gridIndex })),
      yAxis: searches.map((_, gridIndex) => ({ ...axis("p95 wait, s"), gridIndex })),
      series: searches.flatMap(seriesOf),
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

const axis = (name: string) => ({ type: "log", name, nameLocation: "middle", nameGap: 30, scale: true });

function seriesOf({ tried, best, chosen }: Searched, panel: number): object[] {
  const at = (one: Tried) => [costOf(one), waitOf(one)];
  const place = { xAxisIndex: panel, yAxisIndex: panel };
  const scatter = { type: "scatter", ...place };
  return [
    { ...scatter, name: "tried", data: tried.map(at), symbolSize: 4, itemStyle: { color: colours.other } },
    { ...place, type: "line", name: "none better in both", data: best.map(at), itemStyle: { color: colours.best } },
    { ...scatter, name: "chosen", data: [at(chosen)], symbolSize: 16, itemStyle: { color: colours.chosen } },
  ];
}
