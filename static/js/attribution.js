// What the attribution form shows depends on what is chosen in it. Without this script everything just stays in view.

// A choice of presets; the other fields in it matter only for “Custom”.
class CustomChoice extends HTMLElement {
  connectedCallback() {
    this.choice = this.querySelector("select");
    this.choice.addEventListener("change", () => this.show());
    this.show();
  }

  show() {
    const custom = this.choice.value === "custom";
    for (const input of this.querySelectorAll("input")) {
      input.closest(".field").hidden = !custom;
      input.required = custom;
      input.disabled = !custom;
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
customElements.define("custom-choice", CustomChoice);
