// Upright bars, grouped or stacked, and histograms, whose bars touch.
import { anchorGroup, colourClass, columnsFrame, describe, textWidth, whisker } from "./frame.js";

const GAP = 0.24; // of a category's room

export function drawColumns(plot) {
  columnsFrame(plot);
  const { data, inner } = plot;
  const histogram = data.kind === "histogram";
  const room = histogram ? plot.band - 1 : plot.band * (1 - GAP);
  const lanes = data.stacked ? 1 : data.series.length;
  const thickness = Math.max(room / lanes, 1);
  const labelled = !histogram && !data.stacked && data.series.every(({ marks }) => marks.every((mark) => !mark || textWidth(mark.text) < thickness - 2));
  data.categories.forEach((category, index) => {
    const left = plot.centre(index) - room / 2;
    const tops = data.series.map(({ marks }) => plot.value(marks[index]?.value ?? 0));
    const group = anchorGroup(plot, plot.svg, { index, href: category.href, x: plot.centre(index), y: Math.min(...tops) });
    group.append("rect").attr("class", "chart-ground").attr("x", plot.centre(index) - plot.band / 2).attr("y", inner.top)
      .attr("width", plot.band).attr("height", inner.bottom - inner.top);
    const reached = { plus: 0, minus: 0 };
    data.series.forEach((series, lane) => {
      const mark = series.marks[index];
      if (!mark) return;
      const side = mark.value < 0 ? "minus" : "plus";
      const start = data.stacked ? reached[side] : 0;
      if (data.stacked) reached[side] += mark.value;
      const x = data.stacked ? left : left + lane * thickness;
      const [from, to] = [plot.value(start), plot.value(start + mark.value)];
      describe(group.append("rect"), series, category, mark)
        .attr("class", `chart-bar ${colourClass(series, mark)}`)
        .attr("x", x).attr("width", Math.max(thickness - (lanes > 1 ? 1 : 0), 0.5))
        .attr("y", Math.min(from, to)).attr("height", Math.max(Math.abs(to - from), 0.5));
      if (mark.low !== undefined) whisker(plot, group, mark, x + thickness / 2, { upright: true });
      if (labelled) {
        group.append("text").attr("class", "chart-value").attr("aria-hidden", "true").attr("text-anchor", "middle")
          .attr("x", x + thickness / 2).attr("y", mark.value < 0 ? Math.max(from, to) + 13 : Math.min(from, to) - 4).text(mark.text);
      }
    });
  });
}
