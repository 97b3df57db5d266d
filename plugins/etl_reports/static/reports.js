// Makes the pages quick under the hand; without it they work by links and a form.
(() => {
  "use strict";
  const root = document.documentElement;
  const framed = parent !== window;

  // A frame may neither leave its page nor open another: a link to Airflow's own pages is followed by Airflow's page.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-airflow]");
    if (!framed || !link) return;
    event.preventDefault();
    const outside = parent.document.createElement("a");
    outside.href = link.href;
    outside.target = link.target || "_self";
    outside.rel = "noopener";
    parent.document.body.append(outside);
    outside.click();
    outside.remove();
  });

  // The report is shut in a sandbox and cannot look at our theme: it is told.
  const frame = document.querySelector("iframe[data-src]");
  if (frame) {
    const tell = () => frame.contentWindow.postMessage({ theme: root.dataset.theme }, "*");
    frame.addEventListener("load", tell);
    addEventListener("theme", tell);
    frame.src = `${frame.dataset.src}#${root.dataset.theme}`;
  }

  // Search as one types: the same page as the form would give, of which only the results are taken.
  const form = document.querySelector("form[data-live]");
  if (form) {
    let timer, under;
    const search = async () => {
      under?.abort();
      under = new AbortController();
      const filled = [...new FormData(form)].filter(([, value]) => value !== "");
      const address = `${location.pathname}?${new URLSearchParams(filled)}`;
      try {
        const answer = await fetch(address, { headers: { Accept: "text/html" }, signal: under.signal });
        if (!answer.ok || answer.redirected) return form.submit();
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        document.getElementById("results").replaceChildren(...page.getElementById("results").childNodes);
        history.replaceState(null, "", address);
      } catch (error) {
        if (error.name !== "AbortError") form.submit();
      }
    };
    form.querySelector("button[type=submit]").classList.add("heard");
    form.addEventListener("submit", (event) => { event.preventDefault(); search(); });
    form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, 180); });
  }

  // What is under way is looked at again.
  const again = document.querySelector("[data-again]");
  if (again) setTimeout(() => location.reload(), 1000 * Number(again.dataset.again));
})();
