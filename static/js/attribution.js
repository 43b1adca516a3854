// What the attribution form shows depends on what is chosen in it. Without this script everything just stays in view.

import "./custom-choice.js";

// A model is not compared with itself. Boxes that come disabled, as the plan lacks their models, stay so.
class CompareModels extends HTMLElement {
  connectedCallback() {
    this.boxes ??= [...this.querySelectorAll("input:enabled")];
    this.model = this.closest("form").elements.model;
    this.model.addEventListener("change", () => this.show());
    this.show();
  }

  show() {
    for (const box of this.boxes) {
      box.disabled = box.value === this.model.value;
      box.closest("label").hidden = box.disabled;
    }
  }
}

customElements.define("compare-models", CompareModels);
