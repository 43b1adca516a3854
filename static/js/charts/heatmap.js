// A heatmap: cells whose colours say how far from zero they are, and their texts on which side. The names of its columns
// stand above it, those of its rows in a picture of their own beside it, which stays where it is when the cells scroll.

import "../../vendor/d3/d3.min.js";
import { mark } from "./marks.js";
import { onTwoLines, spokenOfMark, widest, withInterval, writeFitted } from "./text.js";
import { element } from "./tooltip.js";

const NAME_SIZE = 13;
const LINE_HEIGHT = 15;
const GAP = 10;
const AROUND_TEXT = 8;
const FEW_COLUMNS = 12; // whose texts are written however narrow the window is
const NARROWEST = 24; // WCAG 2.2, 2.5.8
const BROADEST = 120;
const NARROW = 480;
const BOLDER = 1.08; // how much broader the name is of the row that is pointed at
const STRIPE = 6;

export function drawHeatmap(svg, chart, { width, height }) {
  const names = d3.select(svg.node().parentNode).select(".heat-names");
  const frame = measured(chart, width);
  const { breadth, header, row } = frame;
  names.attr("width", frame.names).attr("viewBox", `0 0 ${frame.names} ${height}`).selectAll("*").remove();
  const across = breadth * chart.series.length;
  svg.attr("width", across).attr("viewBox", `0 0 ${across} ${height}`);
  keepScrollable(svg.node().parentNode, frame.names, across);
  drawHatching(svg, chart);
  const rowNames = drawRowNames(names, chart, frame);
  const columnNames = drawColumnNames(svg, chart, frame);
  chart.categories.forEach((_, index) => {
    chart.series.forEach((_, place) => chart.series[place].marks[index] && drawCell(svg, chart, frame, index, place));
  });
  const cursor = ["heat-cursor-edge", "heat-cursor"].map((name) => svg.append("rect").attr("class", name));
  for (const one of cursor) one.attr("width", breadth).attr("height", row);
  return {
    tooltip: tooltipOfCell,
    indexAt(px, py) {
      const [index, place] = [Math.floor((py - header) / row), Math.floor(px / breadth)];
      return chart.series[place]?.marks[index] ? number(chart, index, place) : null;
    },
    extent(cell) {
      const [index, place] = placesOf(chart, cell);
      const [left, top] = [place * breadth, header + index * row];
      return { left, right: left + breadth, top, bottom: top + row };
    },
    highlight(cell) {
      const [index, place] = cell === null ? [null, null] : placesOf(chart, cell);
      rowNames.classed("active", (_, at) => at === index);
      columnNames.classed("active", (_, at) => at === place);
      for (const one of cursor) {
        one.classed("active", cell !== null);
        if (cell !== null) one.attr("x", place * breadth).attr("y", header + index * row);
      }
    },
  };
}

/** Cells are counted row by row. */
export const number = (chart, index, place) => index * chart.series.length + place;
export const placesOf = (chart, cell) => [Math.floor(cell / chart.series.length), cell % chart.series.length];

/** How broad the names of rows and the cells are: as the window has room, but never too narrow to be pointed at. */
function measured(chart, width) {
  const most = Math.round(width * (width < NARROW ? 0.32 : 0.3));
  const labels = [chart.category_title, ...chart.categories.map(({ label }) => label)];
  const names = Math.min(Math.ceil(widest(labels, NAME_SIZE) * BOLDER), most) + GAP;
  const texts = chart.series.flatMap(({ marks }) => marks.flatMap((one) => one?.text ?? []));
  const ofText = widest(texts) + AROUND_TEXT;
  const words = chart.names_turned ? [] : chart.series.flatMap(({ name }) => name.split(" "));
  const least = Math.max(NARROWEST, widest(words) + 4, chart.series.length <= FEW_COLUMNS ? ofText : 0);
  const breadth = breadthOf(chart.series.length, least, width - names);
  return { names, breadth, header: chart.header, row: chart.row, written: ofText <= breadth };
}

/** As broad as the cells have room; where they do not have it, so that half a cell at the edge says that there are more. */
function breadthOf(count, least, room) {
  if (least * count <= room) return Math.min(BROADEST, Math.floor(room / count));
  const seen = Math.floor(room / least - 0.5) + 0.5;
  return Math.max(least, Math.floor(room / Math.max(seen, 0.5)));
}

/** What scrolls is a stop of the Tab key, so that the arrow keys can scroll it; what has the focus is not under names. */
function keepScrollable(region, names, across) {
  region.style.setProperty("--heat-names", names);
  region.style.setProperty("--heat-across", across);
  if (names + across > region.clientWidth) region.setAttribute("tabindex", 0);
  else region.removeAttribute("tabindex");
}

const hatchingOf = (chart, shade) => `${chart.id}-hatching-${shade.split("-")[1] ?? 0}`;

function drawHatching(svg, chart) {
  const thin = chart.series.flatMap(({ marks }) => marks.filter((one) => one?.thin));
  const shades = new Map(thin.map(({ shade }) => [hatchingOf(chart, shade), shade]));
  const patterns = svg.append("defs").selectAll("pattern").data([...shades]).join("pattern");
  patterns.attr("id", ([id]) => id).attr("class", ([, shade]) => `heat-${shade}`)
    .attr("width", STRIPE).attr("height", STRIPE).attr("patternUnits", "userSpaceOnUse")
    .attr("patternTransform", "rotate(45)");
  patterns.append("path").attr("class", "heat-line").attr("d", `M${STRIPE / 2},0V${STRIPE}`);
}

function drawRowNames(names, chart, { names: room, header, row }) {
  names.append("text").attr("class", "axis-title name-before").attr("x", room - GAP).attr("y", header - 8)
    .call(writeFitted, chart.category_title, room - GAP);
  return names.selectAll(".heat-name").data(chart.categories).join("text").attr("class", "heat-name name-before")
    .attr("x", room - GAP).attr("y", (_, index) => header + (index + 0.5) * row).attr("dy", "0.35em")
    .each(function write({ label }) { writeFitted(d3.select(this), label, (room - GAP) / BOLDER, NAME_SIZE); });
}

function drawColumnNames(svg, chart, { header, breadth }) {
  const middle = (place) => (place + 0.5) * breadth;
  const names = svg.selectAll(".heat-name").data(chart.series).join("text").attr("class", "heat-name");
  if (chart.names_turned) {
    return names.attr("transform", (_, place) => `translate(${middle(place)},${header - 6}) rotate(-90)`).attr("dy", "0.35em")
      .each(function write({ name }) { writeFitted(d3.select(this), name, header - 8); });
  }
  return names.classed("name-over", true).attr("y", header - 8).each(function write({ name }, place) {
    const lines = onTwoLines(name, breadth - 4);
    const text = d3.select(this);
    lines.forEach((line, at) => {
      const up = at ? LINE_HEIGHT : (1 - lines.length) * LINE_HEIGHT;
      text.append("tspan").attr("x", middle(place)).attr("dy", up).text(line);
    });
    if (lines.join(" ") !== name) text.append("title").text(name);
  });
}

function drawCell(svg, chart, { breadth, header, row, written }, index, place) {
  const one = chart.series[place].marks[index];
  const cell = number(chart, index, place);
  const [x, y] = [place * breadth, header + index * row];
  const thin = one.thin ? `, ${chart.thin.toLowerCase()}` : "";
  const stop = svg.append(one.href ? "a" : "g").attr("class", `stop heat-${one.shade}`).attr("data-index", cell)
    .attr("href", one.href ?? null).attr("role", one.href ? null : "img").attr("tabindex", -1)
    .attr("aria-label", `${named(chart, cell)}: ${spokenOfMark(chart, one)}${thin}`);
  const box = (selection) => selection.attr("x", x).attr("y", y).attr("width", breadth).attr("height", row);
  mark(stop.append("rect"), chart, place, index).classed("heat-cell", true).attr("data-index", cell).call(box);
  if (one.thin) {
    stop.append("rect").attr("class", "heat-hatching").attr("fill", `url(#${hatchingOf(chart, one.shade)})`).call(box);
  }
  if (!written) return;
  stop.append("text").attr("class", "heat-text").attr("x", x + breadth / 2).attr("y", y + row / 2).attr("dy", "0.35em")
    .text(one.text);
}

function named(chart, cell) {
  const [index, place] = placesOf(chart, cell);
  return [chart.categories[index].label, chart.series[place].name].join(chart.symmetric ? " and " : ", ");
}

function tooltipOfCell(chart, cell) {
  const [index, place] = placesOf(chart, cell);
  const one = chart.series[place].marks[index];
  const row = element("div", "tooltip-row");
  const swatch = element("span", `swatch swatch-heat heat-${one.shade}`);
  row.append(swatch, element("span", "tooltip-name", withInterval(one)));
  const details = [chart.axis.title, ...(one.detail ?? []), ...(one.thin ? [chart.thin] : [])];
  const level = one.low_text && chart.interval ? [element("p", "tooltip-note", `In brackets: ${chart.interval}`)] : [];
  return [
    element("p", "tooltip-title", named(chart, cell)),
    row,
    ...details.map((line) => element("p", "tooltip-detail", line)),
    ...level,
  ];
}
