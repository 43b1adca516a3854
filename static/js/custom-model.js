// <position-weights>: the fields of the shape that is chosen, and whether first, middle and last total 100%. While they
// do not, the form cannot be saved. Without this script everything stays in view, and the server says what is wrong.
class PositionWeights extends HTMLElement {
  connectedCallback() {
    this.form = this.closest("form");
    this.total = this.querySelector("[data-total]");
    this.addEventListener("input", () => this.show());
    this.show();
  }

  show() {
    const shape = this.querySelector("input[name=shape]:checked")?.value;
    for (const part of this.querySelectorAll("[data-shape]")) part.hidden = part.dataset.shape !== shape;
    const weights = ["first", "middle", "last"].map((name) => Number(this.form.elements[name].value));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const wrong = shape === "ends" && !(Math.abs(total - 100) < 1e-6);
    const shown = Number.isFinite(total) ? `${Number(total.toFixed(6))}%` : "no number";
    this.total.textContent = wrong ? `Total ${shown}: must total 100%.` : "Total 100%.";
    this.total.classList.toggle("is-wrong", wrong);
    for (const button of this.form.querySelectorAll("[data-saves]")) button.disabled = wrong;
  }
}

customElements.define("position-weights", PositionWeights);
