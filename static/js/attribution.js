// The two dates of the attribution form matter only for a custom period. Without this script they just stay in view.

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

customElements.define("custom-period", CustomPeriod);
