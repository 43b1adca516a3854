// A Sankey diagram: nodes in columns, ribbons between them. How high everything stands is settled in
// charts/sankey_layout.py, as in all other drawings of it; only the width is the browser's.

import "../../vendor/d3/d3.min.js";
import { mark, stop } from "./marks.js";
import { fitted, widest, widthOf } from "./text.js";

const WORDS = 6; // from a node to its name
const LINE = 15;
const LEAST_NAME = 44;
const TARGET = 16; // the least height that a pointer needs
const MOST_FOR_ENDS = 0.25; // of the width, for the names beside the ends

export function drawSankey(svg, chart, { width: room, height }) {
  const frame = columnsOf(svg, chart, room, height);
  const plot = svg.append("g").attr("class", "plot flows");
  drawTitles(svg, chart, frame);
  const nodes = new Map(chart.nodes.map((node) => [node.index, node]));
  const ribbons = new Map(chart.ribbons.map((ribbon) => [ribbon.index, ribbon]));
  chart.categories.forEach(({ href }, index) => {
    const parent = stop(plot, chart, index, href);
    if (nodes.has(index)) drawNode(parent, chart, frame, nodes.get(index));
    else drawRibbon(parent, chart, frame, ribbons.get(index));
  });
  // Names lie on all ribbons, and so are not in their nodes' links, which come in the order of reading.
  const names = svg.append("g").attr("class", "flow-names");
  for (const node of chart.nodes) writeName(names, chart, frame, node);
  return {
    indexAt(x, y) {
      const { left, top } = svg.node().getBoundingClientRect();
      const found = document.elementFromPoint(left + x, top + y)?.closest("[data-index]");
      return svg.node().contains(found ?? null) ? Number(found.dataset.index) : null;
    },
    extent: (index) => (nodes.has(index) ? boxOf(nodes.get(index), frame) : boxOfRibbon(ribbons.get(index), chart, frame)),
    highlight(index) {
      const meant = index === null ? new Set() : meantBy(index, chart, nodes.get(index), ribbons.get(index));
      plot.classed("is-narrowed", index !== null);
      plot.selectAll(".mark").classed("is-meant", (_, place, all) => meant.has(Number(all[place].dataset.index)));
    },
  };
}

/** Spread the columns over the width, or over the least one, which then scrolls: a stop of the Tab key only then. */
function columnsOf(svg, chart, room, height) {
  const width = Math.max(room, chart.least_width);
  const scroller = svg.node().closest(".flow-scroll");
  if (width > room) scroller.setAttribute("tabindex", 0);
  else scroller.removeAttribute("tabindex");
  svg.attr("viewBox", `0 0 ${width} ${height}`).attr("width", width > room ? width : "100%");
  const ends = chart.nodes.filter((node) => node.is_end);
  const words = ends.flatMap((node) => [node.name, textOf(chart, node)]);
  const last = chart.step_titles.length - 1;
  const beside = Math.min(widest([...words, chart.step_titles[last]], 13) + WORDS + 4, width * MOST_FOR_ENDS);
  const pitch = (width - beside - chart.node_width) / last;
  return {
    breadth: chart.node_width,
    left: (column) => column * pitch,
    room: (column) => (column === last ? beside - WORDS : pitch - chart.node_width - WORDS - 3),
  };
}

function drawTitles(svg, chart, { left, room, breadth }) {
  chart.step_titles.forEach((title, column) => {
    svg.append("text").attr("class", "tick").attr("x", left(column)).attr("y", 12).text(fitted(title, room(column) + breadth));
  });
}

function drawNode(parent, chart, frame, node) {
  const { left, right, top, bottom } = boxOf(node, frame);
  const spare = Math.max(0, TARGET - (bottom - top)) / 2;
  parent.append("rect").attr("class", "hit").attr("x", left - 2).attr("width", right - left + 4)
    .attr("y", top - spare).attr("height", bottom - top + 2 * spare);
  const least = Math.max(0, 1 - (bottom - top)) / 2; // a node of few is a line, and not nothing
  mark(parent.append("rect"), chart, 0, node.index).classed("flow-node", true).attr("x", left).attr("width", right - left)
    .attr("y", top - least).attr("height", bottom - top + 2 * least);
}

function drawRibbon(parent, chart, frame, ribbon) {
  const path = outline(ribbon, chart, frame);
  if (ribbon.thickness < TARGET / 2) {
    parent.append("path").attr("class", "flow-hit").attr("d", path).attr("stroke-width", TARGET / 2 - ribbon.thickness);
  }
  mark(parent.append("path"), chart, 0, ribbon.index).classed("flow", true).classed("flow-loss", ribbon.is_loss)
    .attr("data-thickness", ribbon.thickness).attr("d", path);
}

/** Along the upper edge from column to column, straight through those that are passed, and back along the lower one. */
function outline({ source, tops, thickness }, chart, { left, breadth }) {
  const first = chart.nodes[source].column;
  const edge = tops.flatMap((top, place) => {
    const start = left(first + place);
    const [into, out] = [[start, top], [start + breadth, top]];
    return place === 0 ? [out] : place === tops.length - 1 ? [into] : [into, out];
  });
  const back = edge.map(([x, y]) => [x, y + thickness]).reverse();
  return `M${edge[0]}${curves(edge)}L${back[0]}${curves(back)}Z`;
}

const curves = (points) => d3.pairs(points, ([x, y], [toX, toY]) => {
  const middle = (x + toX) / 2;
  return `C${middle},${y} ${middle},${toY} ${toX},${toY}`;
}).join("");

/** Name a node and say its value, on one line or two. A value is left out rather than cut. */
function writeName(parent, chart, frame, node) {
  const { href } = chart.categories[node.index];
  const lines = linesOf(node, textOf(chart, node), frame.room(node.column));
  // Its node's link says all this already: the name is one more place to click, and nothing to read.
  const link = parent.append(href ? "a" : "g").attr("data-index", node.index).attr("aria-hidden", "true");
  if (href) link.attr("href", href).attr("tabindex", -1);
  const text = link.append("text").attr("class", "flow-name").classed("is-end", node.is_end);
  const { right, top, bottom } = boxOf(node, frame);
  lines.forEach((line, place) => {
    text.append("tspan").attr("x", right + WORDS).attr("dy", place ? LINE : "0.35em").text(line);
  });
  text.attr("y", (top + bottom) / 2 - ((lines.length - 1) * LINE) / 2);
}

function linesOf({ name, y0, y1, is_end: isEnd }, value, room) {
  const beside = room - widthOf(` ${value}`);
  if (isEnd) return [fitted(name, room), ...(widthOf(value, 13) <= room ? [value] : [])];
  if (widthOf(name) <= beside) return [`${name} ${value}`];
  if (beside > 0 && y1 - y0 >= TARGET) return [fitted(name, room), value];
  if (beside >= LEAST_NAME) return [`${fitted(name, beside)} ${value}`];
  return [fitted(name, room)];
}

const textOf = (chart, node) => chart.series[0].marks[node.index].text;

const boxOf = (node, { left, breadth }) =>
  ({ left: left(node.column), right: left(node.column) + breadth, top: node.y0, bottom: node.y1 });

function boxOfRibbon({ source, target, tops, thickness }, chart, frame) {
  const [from, to] = [source, target].map((node) => boxOf(chart.nodes[node], frame));
  return { left: from.right, right: to.left, top: Math.min(...tops), bottom: Math.max(...tops) + thickness };
}

/** The link and its two nodes, or the node, all its links and the nodes at their other ends. */
function meantBy(index, chart, node, ribbon) {
  const links = ribbon ? [ribbon] : chart.ribbons.filter(({ source, target }) => [source, target].some((end) => chart.nodes[end] === node));
  const ends = links.flatMap(({ source, target }) => [chart.nodes[source].index, chart.nodes[target].index]);
  return new Set([index, ...links.map((link) => link.index), ...ends]);
}
