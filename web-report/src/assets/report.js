"use strict";
// The page says everything without this script; it adds filters, a button to copy, and opens what is closed.
(() => {
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const byId = (id) => document.getElementById(id);
  for (const element of all("[data-script]")) element.hidden = false;

  const form = byId("filter");
  if (form) {
    const findings = all("article[data-grade]");
    const count = byId("filter-count");
    const apply = () => {
      const grades = new Set(all("input[name=grade]:checked", form).map((box) => box.value));
      const words = byId("filter-text").value.toLowerCase();
      let shown = 0;
      for (const finding of findings) {
        const fits = grades.has(finding.dataset.grade) && finding.textContent.toLowerCase().includes(words);
        finding.hidden = !fits;
        if (fits) shown += 1;
      }
      count.textContent = `${shown} of ${findings.length} shown`;
    };
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    apply();
  }

  for (const button of all("button[data-copy]")) {
    button.addEventListener("click", async () => {
      const source = byId(button.dataset.copy);
      const said = button.nextElementSibling;
      try {
        await navigator.clipboard.writeText(source.textContent);
        said.textContent = "copied";
      } catch {
        const range = document.createRange();
        range.selectNodeContents(source);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        said.textContent = "selected: copy it by keyboard";
      }
    });
  }

  const open = () => {
    const target = location.hash.length > 1 && byId(location.hash.slice(1));
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    if (target && target.tagName !== "DETAILS") target.querySelector("details")?.setAttribute("open", "");
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();
  const toggle = byId("open-all");
  if (toggle) {
    toggle.addEventListener("click", () => {
      const closed = all("details.drawn").some((it) => !it.open);
      for (const it of all("details.drawn")) it.open = closed;
    });
  }
})();
