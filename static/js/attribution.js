// What the attribution form shows depends on what is chosen in it. Without this script everything just stays in view.

// The two dates matter only for a custom period.
class CustomPeriod extends HTMLElement {
  connectedCallback() {
    this.period = this.querySelector("select");
    this.period.addEventListener("change", () => this.show());
    this.show();
  }

  show() {
    const custom = this.period.value === "custom";
    for (const date of this.querySelectorAll("input[type=date]")) {
      date.closest(".field").hidden = !custom;
      date.required = custom;
    }
  }
}

// A model is not compared with itself.
class CompareModels extends HTMLElement {
  connectedCallback() {
    this.model = this.closest("form").elements.model;
    this.model.addEventListener("change", () => this.show());
    this.show();
  }

  show() {
    for (const box of this.querySelectorAll("input")) {
      box.disabled = box.value === this.model.value;
      box.closest("label").hidden = box.disabled;
    }
  }
}

customElements.define("compare-models", CompareModels);
customElements.define("custom-period", CustomPeriod);
