// Horizontal bars, grouped or stacked: a row for each category.
import { anchorGroup, colourClass, describe, lanesTop, rowGround, rowLabel, rowsFrame, textWidth, whisker } from "./frame.js";

const THICKNESS = 14;
const LINKED = 24; // room for a bar that is a link of its own

export function drawBars(plot) {
  const { data } = plot;
  const texts = data.stacked ? [] : data.series.flatMap(({ marks }) => marks.map((mark) => (mark ? mark.text : "")));
  rowsFrame(plot, { labelsRight: Math.max(0, ...texts.map(textWidth)) + 10 });
  data.categories.forEach((category, index) => {
    if (data.links === "mark") linkedMarks(plot, category, index);
    else row(plot, category, index);
  });
}

function row(plot, category, index) {
  const { data } = plot;
  const lanes = data.stacked ? 1 : data.series.length;
  const top = lanesTop(plot, index, lanes * THICKNESS);
  const ends = data.series.map(({ marks }) => plot.value(marks[index]?.value ?? 0));
  const group = anchorGroup(plot, plot.svg, { index, href: category.href, x: Math.max(...ends), y: plot.rowTop(index) + plot.row / 2 });
  rowGround(plot, group, index);
  rowLabel(plot, group, index, top + (lanes * THICKNESS) / 2);
  const reached = { plus: 0, minus: 0 };
  data.series.forEach((series, lane) => {
    const mark = series.marks[index];
    if (!mark) return;
    const side = mark.value < 0 ? "minus" : "plus";
    const start = data.stacked ? reached[side] : 0;
    if (data.stacked) reached[side] += mark.value;
    const y = data.stacked ? top : top + lane * THICKNESS;
    bar(plot, group, series, category, mark, { y, start, labelled: !data.stacked });
  });
}

function linkedMarks(plot, category, index) {
  const { data } = plot;
  const top = lanesTop(plot, index, data.series.length * LINKED);
  rowLabel(plot, plot.svg, index, top + (data.series.length * LINKED) / 2);
  data.series.forEach((series, lane) => {
    const mark = series.marks[index];
    if (!mark) return;
    const y = top + lane * LINKED;
    const group = anchorGroup(plot, plot.svg, { index, series: lane, href: mark.href, x: plot.value(mark.value), y: y + LINKED / 2 });
    group.append("rect").attr("class", "chart-ground").attr("x", plot.inner.left).attr("y", y)
      .attr("width", plot.width - plot.inner.left).attr("height", LINKED);
    bar(plot, group, series, category, mark, { y: y + (LINKED - THICKNESS) / 2, start: 0, labelled: true });
  });
}

function bar(plot, group, series, category, mark, { y, start, labelled }) {
  const [from, to] = [plot.value(start), plot.value(start + mark.value)];
  describe(group.append("rect"), series, category, mark)
    .attr("class", `chart-bar ${colourClass(series, mark)}`)
    .attr("x", Math.min(from, to)).attr("width", Math.max(Math.abs(to - from), 0.5))
    .attr("y", y + 1).attr("height", THICKNESS - 2);
  if (mark.low !== undefined) whisker(plot, group, mark, y + THICKNESS / 2, { upright: false });
  if (!labelled) return;
  const end = mark.low === undefined ? Math.max(from, to) : Math.max(from, to, plot.value(mark.high));
  group.append("text").attr("class", "chart-value").attr("aria-hidden", "true")
    .attr("x", end + 6).attr("y", y + THICKNESS / 2).attr("dy", "0.35em").text(mark.text);
}
