// The docs' conveniences: copy buttons, language tabs, search and menus. Every page says all that it says without them.
(() => {
  "use strict";

  const root = document.documentElement;
  const WIDE = "(min-width: 62.5rem)";
  const WIDEST = "(min-width: 77.5rem)";
  const LANGUAGE = "handraiser-language";

  // Makes an element; `about` has its properties, and attributes where a property does not exist.
  const make = (name, about = {}, ...inside) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(about)) {
      if (key in element) element[key] = value;
      else element.setAttribute(key, value);
    }
    element.append(...inside);
    return element;
  };

  // Tells what happened to who cannot see it.
  const say = (text) => {
    document.getElementById("said").textContent = text;
  };

  // A browser may refuse storage altogether.
  const remembered = () => {
    try { return localStorage.getItem(LANGUAGE); } catch { return null; }
  };
  const remember = (key) => {
    try { localStorage.setItem(LANGUAGE, key); } catch { /* It then holds for this page. */ }
  };

  // ---- Copying ----

  // The clipboard is for secure pages only, and an installation on a company's own network may be plain HTTP.
  const toClipboard = async (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const area = make("textarea", { value: text, className: "unseen" });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("The browser did not copy");
  };

  // The code alone, without the line break at its end, which would run a command as soon as it is pasted.
  const copy = async (button) => {
    const text = button.parentElement.querySelector("pre").textContent.replace(/\n$/, "");
    try {
      await toClipboard(text);
      button.textContent = "Copied";
      say("Copied");
    } catch {
      button.textContent = "Press Ctrl+C";
      getSelection().selectAllChildren(button.parentElement.querySelector("pre"));
    }
    button.focus();
    setTimeout(() => { button.textContent = "Copy"; say(""); }, 2000);
  };

  const addCopyButtons = () => {
    for (const pre of document.querySelectorAll("main pre")) {
      if (!pre.parentElement.classList.contains("code")) {
        const box = make("div", { className: "code" });
        pre.replaceWith(box);
        box.append(pre);
      }
      pre.before(make("button", { type: "button", className: "copy" }, "Copy"));
    }
    // One ear for all, those too that another script adds.
    document.addEventListener("click", ({ target }) => {
      if (target.closest(".copy")) copy(target.closest(".copy"));
    });
  };

  // ---- Languages ----

  // Shows one language in every example that has it; an example that has not keeps what it shows.
  const chooseLanguage = (key) => {
    for (const tab of document.querySelectorAll(`[role=tab][data-key="${CSS.escape(key)}"]`)) {
      for (const each of tab.parentElement.children) {
        const chosen = each === tab;
        each.setAttribute("aria-selected", chosen);
        each.tabIndex = chosen ? 0 : -1;
        document.getElementById(each.getAttribute("aria-controls")).hidden = !chosen;
      }
    }
  };

  // As above, while the tab that was chosen stays where it is on the screen.
  const switchTo = (tab) => {
    const before = tab.getBoundingClientRect().top;
    chooseLanguage(tab.dataset.key);
    remember(tab.dataset.key);
    scrollBy({ top: tab.getBoundingClientRect().top - before, behavior: "instant" });
    tab.focus({ preventScroll: true });
  };

  const addTabs = (example, number) => {
    const panels = [...example.children];
    const tabs = panels.map((panel, place) => {
      panel.id = `example-${number}-${panel.dataset.language}`;
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", `${panel.id}-tab`);
      panel.hidden = place > 0;
      return make("button", {
        type: "button", id: `${panel.id}-tab`, role: "tab", tabIndex: place ? -1 : 0, textContent: panel.dataset.name,
        "data-key": panel.dataset.language, "aria-controls": panel.id, "aria-selected": String(!place),
      });
    });
    const list = make("div", { className: "tabs", role: "tablist", "aria-label": "Language" }, ...tabs);
    list.addEventListener("click", ({ target }) => target.matches("[role=tab]") && switchTo(target));
    list.addEventListener("keydown", (event) => {
      const at = tabs.indexOf(document.activeElement);
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + tabs.length, Home: 0, End: tabs.length - 1 }[event.key];
      if (at < 0 || to === undefined) return;
      event.preventDefault();
      switchTo(tabs[to % tabs.length]);
    });
    example.prepend(list);
    example.classList.add("ready");
  };

  // ---- Search ----

  const MOST = 12;
  const form = document.querySelector(".search");
  const input = document.getElementById("search");
  const list = document.getElementById("found");
  let loading;

  // A script element, for a copy on a disk may fetch nothing.
  const loadIndex = () => {
    loading ??= new Promise((done, failed) => {
      const script = make("script", { src: `${root.dataset.base}static/search.js`, onload: done, onerror: failed });
      document.head.append(script);
    });
    return loading;
  };

  // In lower case and in the singular, so that "retry" finds "retries" and the other way round.
  const plain = (text) => text.toLowerCase().replace(/ies\b/g, "y");
  const wordsOf = (text) =>
    plain(text).split(/[\s,]+/).filter(Boolean).map((word) => (word.length > 3 ? word.replace(/s$/, "") : word));

  // How well an entry answers a word: a title counts more than an anchor, and that more than the text.
  const worth = (entry, word) => {
    const title = plain(entry.title);
    if (title === word) return 100;
    if (title.startsWith(word)) return 60;
    if (title.includes(word)) return 40;
    if (plain(entry.anchor).includes(word)) return 20;
    return plain(entry.text).includes(word) ? 5 : 0;
  };

  // The entries that have all words, the best first; where none has, those that have some.
  const look = (text) => {
    const words = wordsOf(text);
    const scored = searchIndex.map((entry) => ({ entry, worths: words.map((word) => worth(entry, word)) }));
    const sum = (each) => each.worths.reduce((a, b) => a + b, 0) + (each.entry.anchor ? 0 : 1);
    const best = (some) => some.sort((a, b) => sum(b) - sum(a)).slice(0, MOST).map((each) => each.entry);
    const all = best(scored.filter((each) => each.worths.every(Boolean)));
    return all.length ? { all, some: [] } : { all, some: best(scored.filter((each) => each.worths.some(Boolean))).slice(0, 4) };
  };

  const address = (entry) =>
    `${root.dataset.base}1.0/${entry.page}.html${root.dataset.suffix}${entry.anchor ? `#${entry.anchor}` : ""}`;

  // A text with the words that were looked for marked in it.
  const marked = (text, words) => {
    const pattern = new RegExp(`(${words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})`, "gi");
    return text.split(pattern).map((part, place) => (place % 2 ? make("mark", {}, part) : part));
  };

  // The part of a text in which the first of the words stands.
  const around = (text, words) => {
    const at = Math.max(0, ...words.map((word) => text.toLowerCase().indexOf(word)));
    return at > 60 ? `…${text.slice(at - 40)}` : text;
  };

  const option = (entry, place, words) =>
    make("a", { href: address(entry), id: `found-${place}`, role: "option", tabIndex: -1, "aria-selected": "false" },
      make("small", { className: "where" }, entry.in),
      make("b", {}, ...marked(entry.title, words)),
      make("small", {}, ...marked(around(entry.text, words), words)));

  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };

  // Marks one result as the one that Enter opens.
  const point = (to) => {
    const options = [...list.querySelectorAll("a")];
    if (!options.length) return;
    const place = (to + options.length) % options.length;
    options.forEach((each, at) => each.setAttribute("aria-selected", at === place));
    input.setAttribute("aria-activedescendant", options[place].id);
    options[place].scrollIntoView({ block: "nearest" });
  };
  const pointed = () => [...list.querySelectorAll("a")].findIndex((each) => each.getAttribute("aria-selected") === "true");

  const showFound = async () => {
    const text = input.value;
    const words = wordsOf(text);
    if (!words.length) return close();
    try {
      await loadIndex();
    } catch {
      loading = undefined;
      list.replaceChildren(make("p", {}, "The search could not be loaded. Try once more."));
      list.hidden = false;
      return;
    }
    if (text !== input.value) return;
    const { all, some } = look(text);
    list.replaceChildren(...[...all, ...some].map((entry, place) => option(entry, place, words)));
    if (!all.length) {
      list.prepend(make("p", {}, some.length
        ? `Nothing has all of “${text}”. These have a part of it:`
        : `Nothing was found for “${text}”. Try the name of a parameter (caller_id), a code (invalid_caller_id) or one word (retry).`));
    }
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    say(all.length ? `${all.length} found` : "Nothing found");
    point(0);
  };

  const addSearch = () => {
    form.hidden = false;
    input.addEventListener("focus", () => { loadIndex().catch(() => { loading = undefined; }); if (input.value) showFound(); });
    input.addEventListener("input", showFound);
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") point(pointed() + 1);
      else if (event.key === "ArrowUp") point(pointed() - 1);
      else if (event.key === "Escape") { close(); input.value = ""; input.blur(); }
      else return;
      event.preventDefault();
    });
    // Enter may come before the index does.
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const at = pointed();
      await showFound();
      if (at > 0) point(at);
      list.querySelector("[aria-selected=true]")?.click();
    });
    list.addEventListener("click", close);
    document.addEventListener("click", ({ target }) => form.contains(target) || close());
    form.addEventListener("focusout", ({ relatedTarget }) => relatedTarget && !form.contains(relatedTarget) && close());
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest("input, textarea, select, [contenteditable]");
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      input.focus();
    });
  };

  // ---- Menus, headings, boxes that scroll ----

  // A menu stands open where there is room for it, and closes behind who followed one of its links.
  const minding = (menu, query) => {
    if (!menu) return;
    const media = matchMedia(query);
    const set = () => { menu.open = media.matches; };
    media.addEventListener("change", set);
    menu.addEventListener("click", ({ target }) => { if (target.closest("a") && !media.matches) menu.open = false; });
    set();
    const current = menu.querySelector("[aria-current]");
    if (media.matches && current) {
      const box = menu.parentElement;
      box.scrollTop = current.offsetTop - box.clientHeight / 2;
    }
  };

  // Which section is being read, in the list of this page's sections.
  const followReading = () => {
    const links = new Map([...document.querySelectorAll(".here a")].map((a) => [a.hash.slice(1), a]));
    if (!links.size) return;
    const headings = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
    const mark = () => {
      const read = headings.filter((each) => each.getBoundingClientRect().top < 120).pop();
      for (const [id, link] of links) {
        if (read && id === read.id) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    };
    const seen = new IntersectionObserver(mark, { rootMargin: "-110px 0px -60% 0px" });
    headings.forEach((each) => seen.observe(each));
  };

  // A heading links to itself, so that its address can be taken.
  const linkHeadings = () => {
    for (const heading of document.querySelectorAll("main h2[id], main h3[id], main h4[id]")) {
      if (!heading.querySelector("a")) {
        heading.replaceChildren(make("a", { className: "self", href: `#${heading.id}` }, ...heading.childNodes));
      }
    }
  };

  // What scrolls sideways can be reached by keyboard, and only that.
  const mindScrolling = () => {
    const boxes = document.querySelectorAll("pre, .wide");
    const set = (each) => {
      if (each.scrollWidth > each.clientWidth || each.scrollHeight > each.clientHeight) each.tabIndex = 0;
      else each.removeAttribute("tabindex");
    };
    const sizes = new ResizeObserver((changes) => changes.forEach(({ target }) => set(target)));
    boxes.forEach((each) => sizes.observe(each));
  };

  addCopyButtons();
  document.querySelectorAll("[data-languages]").forEach(addTabs);
  const before = remembered();
  if (before) chooseLanguage(before);
  addSearch();
  minding(document.querySelector(".contents details"), WIDE);
  minding(document.querySelector(".here details"), WIDEST);
  followReading();
  linkHeadings();
  mindScrolling();
})();
