// Lines: one a series, a ribbon where its marks have intervals, its name at its end, or beside its only mark, where
// there is room.

import "../../vendor/d3/d3.min.js";
import { columnsFrame, hitArea } from "./columns.js";
import { categoryStop, mark, markStop } from "./marks.js";
import { widest, widthOf, writeFitted } from "./text.js";

const LABEL_HEIGHT = 16;
const LEADER = 26;
const FEW = 12;

export function drawLine(svg, chart, { width, height, labelled }) {
  const names = chart.series.filter((series) => !isPoint(series)).map(({ name }) => name);
  const room = labelled ? Math.min(widest(names), Math.round(width * 0.3)) : 0;
  const frame = columnsFrame(svg, chart, { width, height, points: true, right: room ? room + LEADER + 4 : 8 });
  chart.series.forEach((series) => drawRibbon(frame, series));
  chart.series.forEach((series) => drawPath(frame, series));
  const stops = chart.categories.map((_, index) => categoryStop(frame.plot, chart, index));
  if (chart.links === "category") stops.forEach((stop, index) => hitArea(stop, frame, index));
  chart.series.forEach((_, place) => drawPoints(frame, chart, place, stops));
  if (labelled) {
    labelEnds(frame, chart.series.filter((series) => !isPoint(series)), room);
    labelPoints(frame, chart.series.filter(isPoint));
  }
  return {
    ...frame,
    extent(index) {
      const heights = chart.series.flatMap(({ marks }) => (marks[index] ? [frame.y(marks[index].value)] : []));
      const [top = frame.top, bottom = frame.bottom] = d3.extent(heights);
      return { left: frame.x(index), right: frame.x(index), top, bottom };
    },
  };
}

/** Whether a series has one mark only, which is no line. */
const isPoint = ({ marks }) => marks.filter(Boolean).length === 1;

function drawRibbon({ plot, x, y }, series) {
  if (!series.marks.some((one) => one?.low !== undefined)) return;
  const ribbon = d3.area((_, index) => x(index), (one) => y(one.low), (one) => y(one.high));
  plot.append("path").attr("class", `ribbon colour-${series.colour}`)
    .attr("d", ribbon.defined((one) => one?.low !== undefined)(series.marks));
  series.marks.forEach((one, index) => {
    if (one?.low === undefined || series.marks[index - 1] || series.marks[index + 1]) return;
    plot.append("line").attr("class", `ribbon-alone colour-${series.colour}`) // between gaps a ribbon has no width
      .attr("x1", x(index)).attr("x2", x(index)).attr("y1", y(one.low)).attr("y2", y(one.high));
  });
}

function drawPath({ plot, x, y }, series) {
  const line = d3.line((_, index) => x(index), (one) => y(one.value)).defined(Boolean);
  plot.append("path").attr("class", `line colour-${series.colour}`).classed("is-dashed", series.dashed)
    .attr("d", line(series.marks));
}

/** A point shows when one points at it, where few are there, at the line's end, and where gaps leave no line. */
function drawPoints({ x, y }, chart, place, stops) {
  const { marks } = chart.series[place];
  const last = marks.findLastIndex(Boolean);
  marks.forEach((one, index) => {
    if (!one) return;
    const alone = !marks[index - 1] && !marks[index + 1];
    const point = markStop(stops[index], chart, index, place).append("circle");
    mark(point, chart, place, index).classed("point", true).classed("is-shown", alone || index === last || marks.length <= FEW)
      .attr("cx", x(index)).attr("cy", y(one.value)).attr("r", 3.5);
  });
}

function labelEnds({ plot, x, y, right, top, bottom }, allSeries, room) {
  const labels = allSeries.flatMap((series) => {
    const last = series.marks.findLastIndex(Boolean);
    return last < 0 ? [] : [{ series, from: x(last), end: y(series.marks[last].value), at: y(series.marks[last].value) }];
  });
  spread(labels, top, bottom);
  for (const { series, from, end, at } of labels) {
    plot.append("path").attr("class", `leader colour-${series.colour}`).attr("d", `M${from + 4},${end}L${right + 6},${end}L${right + LEADER - 5},${at}`);
    plot.append("text").attr("class", "series-name").attr("x", right + LEADER).attr("y", at).attr("dy", "0.35em")
      .call(writeFitted, series.name, room);
  }
}

/**
 * Name marks that are alone: the leftmost above and to its left, others below and to their right. So two never meet, and
 * neither lies on a line that rises through them.
 */
function labelPoints({ plot, x, y, left }, allSeries) {
  const points = allSeries.map(({ name, marks }) => {
    const at = marks.findIndex(Boolean);
    return { name, across: x(at), down: y(marks[at].value) };
  });
  points.sort((one, other) => one.across - other.across);
  points.forEach(({ name, across, down }, place) => {
    const before = place === 0 && points.length > 1 && across - widthOf(name) > left;
    plot.append("text").attr("class", "series-name point-name").classed("value-before", before)
      .attr("x", across + (before ? -4 : 4)).attr("y", down + (before ? -9 : 16)).text(name);
  });
}

/** Move labels apart, as little as it takes, between `top` and `bottom`: those that touch form a stack around their middle. */
function spread(labels, top, bottom) {
  labels.sort((one, other) => one.at - other.at);
  const stacks = [];
  for (const label of labels) {
    stacks.push({ labels: [label], start: label.at });
    while (stacks.length > 1 && stacks.at(-1).start < end(stacks.at(-2))) {
      const { labels: lower } = stacks.pop();
      const { labels: upper } = stacks.pop();
      const joined = [...upper, ...lower];
      stacks.push({ labels: joined, start: d3.mean(joined, ({ end: wanted }, place) => wanted - place * LABEL_HEIGHT) });
    }
  }
  for (const { labels: stacked, start } of stacks) {
    stacked.forEach((label, place) => { label.at = start + place * LABEL_HEIGHT; });
  }
  labels.forEach((label, place) => {
    label.at = Math.max(label.at, place ? labels[place - 1].at + LABEL_HEIGHT : top);
  });
  for (let place = labels.length - 1; place >= 0; place -= 1) {
    const most = place === labels.length - 1 ? bottom : labels[place + 1].at - LABEL_HEIGHT;
    labels[place].at = Math.min(labels[place].at, most);
  }
}

const end = ({ labels, start }) => start + labels.length * LABEL_HEIGHT;
