// Draws the charts alive over their still pictures. Vega's expressions are interpreted (ast), so no eval is needed.
(() => {
  "use strict";
  const report = JSON.parse(document.getElementById("report").textContent);
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const framed = parent !== window;
  const figures = [...document.querySelectorAll("figure.chart")].filter((figure) => Object.hasOwn(report.charts, figure.id));
  const drawn = new Map();
  const MANY_ROWS = 3000; // beyond this a canvas is quicker than SVG
  const ROWS_SHOWN = 500;

  // A sandboxed page has no storage: the choice then lasts as long as the page.
  let chosen = null;
  try { chosen = localStorage.getItem("etl-report-theme"); } catch { /* as said */ }
  // Airflow's own theme, where the report stands in its pages: at first in the address, then in a message.
  let hosts = framed ? location.hash.match(/^#(dark|light)$/)?.[1] ?? null : null;
  const theme = () => hosts ?? (chosen === "dark" || chosen === "light" ? chosen : system.matches ? "dark" : "light");

  // On a narrow screen names and the legend's title give way to the marks.
  function layout(figure, plot = figure.clientWidth - 30) {
    const narrow = figure.clientWidth < 480;
    const columns = Math.max(1, Math.floor((plot - (narrow ? 0 : 70)) / figure.dataset.legendEntry));
    return { columns, titleOrient: narrow ? "top" : "left", labelLimit: narrow ? 100 : 180 };
  }

  async function draw(figure, plot) {
    const spec = structuredClone(report.charts[figure.id]);
    const config = structuredClone(report.themes[theme()]);
    const { columns, titleOrient, labelLimit } = layout(figure, plot);
    Object.assign(config.legend, { columns, titleOrient });
    config.axisY = { ...config.axisY, labelLimit };
    drawn.get(figure)?.view.finalize();
    try {
      const { view } = await vegaEmbed(figure.querySelector(".live"), spec, {
        mode: "vega-lite",
        ast: true,
        actions: false,
        config,
        renderer: spec.data.values.length > MANY_ROWS ? "canvas" : "svg",
        tooltip: { disableDefaultStyle: true },
      });
      drawn.set(figure, { view, width: figure.clientWidth });
      figure.classList.add("alive");
      // The legend stands over the plot, whose width is known only now.
      if (plot === undefined && spec.width === "container" && layout(figure, view.width()).columns < columns) await draw(figure, view.width());
    } catch (error) {
      figure.classList.remove("alive"); // the still picture stays
      console.error(error);
    }
  }

  function apply() {
    const dark = theme() === "dark";
    root.dataset.theme = theme();
    button.setAttribute("aria-pressed", String(dark));
    return Promise.all(figures.map((figure) => draw(figure)));
  }

  function text(value) {
    return value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  }

  function number(value) {
    return value.toLocaleString("en", Math.abs(value) < 0.1 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 3 });
  }

  function table(rows) {
    const element = document.createElement("table");
    const names = Object.keys(rows[0]);
    const head = element.createTHead().insertRow();
    for (const name of names) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = name;
      cell.classList.toggle("number", rows.some((row) => typeof row[name] === "number"));
      head.append(cell);
    }
    const body = element.createTBody();
    for (const row of rows.slice(0, ROWS_SHOWN)) {
      const line = body.insertRow();
      for (const name of names) {
        const cell = line.insertCell();
        cell.textContent = typeof row[name] === "number" ? number(row[name]) : text(row[name]);
        cell.classList.toggle("number", typeof row[name] === "number");
      }
    }
    if (rows.length > ROWS_SHOWN) {
      element.createCaption().textContent = `The first ${ROWS_SHOWN} rows; the CSV has all.`;
    }
    return element;
  }

  function csv(rows) {
    const names = Object.keys(rows[0]);
    // A spreadsheet would run a text that begins so as a formula.
    const safe = (value) => (typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : text(value));
    const field = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
    const lines = [names, ...rows.map((row) => names.map((name) => row[name]))];
    return lines.map((line) => line.map((value) => field(safe(value))).join(",")).join("\r\n") + "\r\n";
  }

  // Gives the still picture as PNG, twice as large as it is written, for sharp text.
  function png(picture) {
    const canvas = document.createElement("canvas");
    canvas.width = 2 * picture.naturalWidth;
    canvas.height = 2 * picture.naturalHeight;
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    return canvas.toDataURL("image/png");
  }

  for (const figure of figures) {
    const rows = report.charts[figure.id].data.values;
    const still = figure.querySelector(".still");
    const isSvg = still.src.startsWith("data:image/svg");
    const links = Object.fromEntries([...figure.querySelectorAll(".downloads a")].map((link) => [link.textContent, link]));
    figure.querySelector(".downloads").hidden = false;
    links.SVG.hidden = !isSvg;
    links.SVG.href = still.src;
    links.PNG.href = isSvg ? "#" : still.src;
    links.CSV.href = "#";
    // A link's target may be set as late as its click.
    if (isSvg) links.PNG.addEventListener("click", () => { links.PNG.href = png(still); });
    links.CSV.addEventListener("click", () => { links.CSV.href = URL.createObjectURL(new Blob([csv(rows)], { type: "text/csv" })); });
    const details = figure.querySelector(".rows");
    details.hidden = false;
    details.addEventListener("toggle", () => details.querySelector(".scroll").replaceChildren(table(rows)), { once: true });
  }

  // In Airflow's pages the theme is theirs, and no frame may print.
  button.hidden = hosts !== null;
  const print = document.getElementById("print");
  print.hidden = framed;
  print.addEventListener("click", () => window.print());
  addEventListener("message", ({ source, data }) => {
    if (source !== parent || !framed || !["dark", "light"].includes(data?.theme) || data.theme === hosts) return;
    hosts = data.theme;
    button.hidden = true;
    apply();
  });
  button.addEventListener("click", () => {
    chosen = theme() === "dark" ? "light" : "dark";
    try { localStorage.setItem("etl-report-theme", chosen); } catch { /* as said */ }
    apply();
  });
  system.addEventListener("change", apply);
  let timer;
  addEventListener("resize", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      for (const figure of figures) {
        if (drawn.get(figure)?.width !== figure.clientWidth) draw(figure);
      }
    }, 200);
  });
  apply();
})();
