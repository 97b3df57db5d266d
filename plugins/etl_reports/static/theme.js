// Takes Airflow's theme before anything is painted, and follows it; by itself a page has the one that Airflow had last.
(() => {
  "use strict";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");

  // The window of Airflow's own page, where we stand in one; another site's would be closed to us.
  function host() {
    try { return parent !== window && parent.document ? parent : null; } catch { return null; }
  }

  function theme() {
    const classes = host()?.document.documentElement.classList;
    if (classes?.contains("dark")) return "dark";
    if (classes?.contains("light")) return "light";
    let last = null;
    try { last = localStorage.getItem("theme"); } catch { /* a browser may keep nothing */ }
    return last === "dark" || last === "light" ? last : system.matches ? "dark" : "light";
  }

  function apply() {
    if (root.dataset.theme === theme()) return;
    root.dataset.theme = theme();
    dispatchEvent(new CustomEvent("theme", { detail: theme() }));
  }

  apply();
  system.addEventListener("change", apply);
  const outer = host();
  if (outer) new MutationObserver(apply).observe(outer.document.documentElement, { attributeFilter: ["class"] });
})();
