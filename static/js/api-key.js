// <scope-presets>: its links tick the scopes that they name (data-scopes), and no other. Without this script they load
// the form anew with these ticked.
class ScopePresets extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      const preset = event.target.closest("[data-scopes]");
      if (!preset) return;
      event.preventDefault();
      this.choose(preset.dataset.scopes.split(" "));
      this.querySelector("[role=status]").textContent = `Chosen: ${preset.textContent}`;
    });
  }

  choose(scopes) {
    for (const box of this.closest("form").querySelectorAll("input[name=scopes]")) {
      box.checked = !box.disabled && scopes.includes(box.value);
    }
  }
}

customElements.define("scope-presets", ScopePresets);

// <shown-once>: what it holds is gone once the page is left, also for a browser that keeps pages to go back to, and to
// reload the page is to open the one that it leads to (data-leads-to). Without this script, a reload sends the form
// again, which is refused.
class ShownOnce extends HTMLElement {
  connectedCallback() {
    history.replaceState(null, "", this.dataset.leadsTo);
    window.addEventListener("pagehide", () => this.replaceChildren("The key was shown before, and is not shown again."));
  }
}

customElements.define("shown-once", ShownOnce);
