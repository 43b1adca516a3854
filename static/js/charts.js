// Draws every <chart-figure> of a page; its data comes with it as JSON (charts/browser.py).
import { ChartFigure } from "./charts/chart-figure.js";

customElements.define("chart-figure", ChartFigure);
