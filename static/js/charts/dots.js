// Dot plots: one dot a series in each category's row.
import { anchorGroup, colourClass, describe, lanesTop, rowGround, rowLabel, rowsFrame, whisker } from "./frame.js";

const RADIUS = 5;
const LANE = 11; // where whiskers would lie on each other, series get lanes of their own
const LINKED = 24;

export function drawDots(plot) {
  const { data } = plot;
  rowsFrame(plot, { labelsRight: RADIUS + 4 });
  const intervals = data.series.some(({ marks }) => marks.some((mark) => mark?.low !== undefined));
  const apart = data.links === "mark" ? LINKED : intervals ? LANE : 0;
  data.categories.forEach((category, index) => {
    const thickness = apart ? apart * data.series.length : 2 * RADIUS;
    const top = lanesTop(plot, index, thickness);
    const heights = data.series.map((_, lane) => (apart ? top + apart * (lane + 0.5) : top + RADIUS));
    const middle = top + thickness / 2;
    const places = data.series.map(({ marks }) => marks[index]).filter(Boolean).map((mark) => plot.value(mark.value));
    const row = data.links === "mark" ? plot.svg.append("g")
      : anchorGroup(plot, plot.svg, { index, href: category.href, x: Math.max(...places, plot.inner.left), y: middle });
    if (data.links !== "mark") rowGround(plot, row, index);
    rowLabel(plot, row, index, middle);
    if (!apart && places.length > 1) {
      row.append("line").attr("class", "chart-span").attr("x1", Math.min(...places)).attr("x2", Math.max(...places))
        .attr("y1", middle).attr("y2", middle);
    }
    data.series.forEach((series, lane) => {
      const mark = series.marks[index];
      if (!mark) return;
      const x = plot.value(mark.value);
      const group = data.links === "mark"
        ? anchorGroup(plot, row, { index, series: lane, href: mark.href, x, y: heights[lane] }) : row;
      if (data.links === "mark") {
        group.append("rect").attr("class", "chart-ground").attr("x", plot.inner.left).attr("width", plot.inner.right - plot.inner.left)
          .attr("y", heights[lane] - LINKED / 2).attr("height", LINKED);
      }
      if (mark.low !== undefined) whisker(plot, group, mark, heights[lane], { upright: false });
      describe(group.append("circle"), series, category, mark)
        .attr("class", `chart-dot ${colourClass(series, mark)}`).attr("cx", x).attr("cy", heights[lane]).attr("r", RADIUS);
    });
  });
}
