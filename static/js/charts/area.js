// Areas stacked on each other; with one series a tinted area under its line.

import "../../vendor/d3/d3.min.js";
import { columnsFrame, hitArea } from "./columns.js";
import { categoryStop, mark, markStop, spans } from "./marks.js";

export function drawArea(svg, chart, { width, height }) {
  const frame = columnsFrame(svg, chart, { width, height, points: true });
  const { plot, x, y } = frame;
  const ends = spans(chart);
  const single = chart.series.length === 1;
  chart.series.forEach((series, place) => {
    const layer = plot.append("g").attr("class", `layer colour-${series.colour}`).classed("layer-single", single);
    const area = d3.area((_, index) => x(index), ([from]) => y(from), ([, to]) => y(to)).defined(Boolean);
    layer.append("path").attr("class", "area").attr("d", area(ends[place]));
    layer.append("path").attr("class", "area-edge").attr("d", area.lineY1()(ends[place]));
  });
  const stops = chart.categories.map((_, index) => categoryStop(plot, chart, index));
  if (chart.links === "category") stops.forEach((stop, index) => hitArea(stop, frame, index));
  chart.series.forEach((_, place) => {
    ends[place].forEach((span, index) => {
      if (!span) return;
      const alone = !ends[place][index - 1] && !ends[place][index + 1];
      if (alone) drawAlone(frame, chart, place, index, span);
      mark(markStop(stops[index], chart, index, place).append("circle"), chart, place, index)
        .classed("point", true).classed("is-shown", alone && single)
        .attr("data-from", span[0]).attr("cx", x(index)).attr("cy", y(span[1])).attr("r", 3.5);
    });
  });
  return {
    ...frame,
    extent(index) {
      const [top = frame.top, bottom = frame.bottom] = d3.extent(ends.flatMap((spansOf) => spansOf[index] ?? []), y);
      return { left: x(index), right: x(index), top, bottom };
    },
  };
}

/** A place between gaps has no area: a narrow bar stands for it. */
function drawAlone({ plot, x, y }, chart, place, index, [from, to]) {
  plot.append("line").attr("class", `area-alone colour-${chart.series[place].colour}`)
    .attr("x1", x(index)).attr("x2", x(index)).attr("y1", y(from)).attr("y2", y(to));
}
