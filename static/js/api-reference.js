/* global SwaggerUIBundle */
// <api-reference>: every address of the API, to read and to try out: Swagger UI, whose bundle is loaded before this.
// Calls are made by whoever is signed in and in the workspace of the page, unless a key is put in their place.

const asksForDark = matchMedia("(prefers-color-scheme: dark)");

// Swagger UI has a dark form of its own, which follows a class and neither the system nor the page's theme.
function followTheme() {
  const { theme } = document.documentElement.dataset;
  document.documentElement.classList.toggle("dark-mode", theme ? theme === "dark" : asksForDark.matches);
}

// What Swagger UI leaves without a name for those who cannot see what it stands beside, and out of the keyboard's reach.
const UNNAMED = [
  ["tr[data-param-name] :is(select, input, textarea)", (field) => field.closest("tr").dataset.paramName],
  [".examples-select-element", () => "Example"],
  ["textarea.body-param__text", () => "Request body"],
  [".close-modal", () => "Close"],
];

function openToAll(reference) {
  for (const [selector, nameOf] of UNNAMED) {
    for (const part of reference.querySelectorAll(`${selector}:not([aria-label])`)) part.ariaLabel = nameOf(part);
  }
  for (const code of reference.querySelectorAll("pre.microlight:not([tabindex])")) code.tabIndex = 0;
}

class ApiReference extends HTMLElement {
  connectedCallback() {
    new MutationObserver(() => openToAll(this)).observe(this, { childList: true, subtree: true });
    followTheme();
    asksForDark.addEventListener("change", followTheme);
    new MutationObserver(followTheme).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    SwaggerUIBundle({
      url: this.dataset.schema,
      domNode: this,
      docExpansion: "none",
      defaultModelsExpandDepth: -1,
      syntaxHighlight: { theme: "obsidian" },
      filter: true,
      displayRequestDuration: true,
      showMutatedRequest: false,
      validatorUrl: null,
      requestInterceptor: (request) => (request.loadSpec ? request : this.addressed(request)),
    });
  }

  addressed(request) {
    if (request.headers.Authorization) {
      request.credentials = "omit"; // the key's rights, not those of the session
      return request;
    }
    const url = new URL(request.url, location.href);
    if (!url.searchParams.has("workspace")) url.searchParams.set("workspace", this.dataset.workspace);
    request.url = url.href;
    request.headers["X-CSRFToken"] = this.dataset.csrfToken;
    return request;
  }
}

customElements.define("api-reference", ApiReference);
