// <custom-choice>: a choice of presets; the other fields in it matter only for “Custom”. Without this script they just
// stay in view.
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

customElements.define("custom-choice", CustomChoice);
