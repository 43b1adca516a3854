// The frame's behaviour: the theme switch, and menus that close when one looks elsewhere.

class ThemeSwitch extends HTMLElement {
  connectedCallback() {
    const current = document.documentElement.dataset.theme ?? "auto";
    for (const input of this.querySelectorAll("input")) input.checked = input.value === current;
    this.addEventListener("change", (event) => this.choose(event.target.value));
  }

  choose(theme) {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // Storage is blocked: the choice holds for this page.
    }
  }
}

customElements.define("theme-switch", ThemeSwitch);

const openMenus = () => document.querySelectorAll("details[data-menu][open]");

document.addEventListener("click", (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
