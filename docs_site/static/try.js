// Try it: sends what the form holds to this very host, and shows what came back, why, and the same as a curl command.
(() => {
  "use strict";

  const form = document.getElementById("try-form");
  const dry = document.getElementById("try-dry");
  const button = document.getElementById("try-send");
  const result = document.getElementById("try-result");
  const state = document.getElementById("try-state");
  const leads = document.getElementById("try-leads");
  let busy = false;

  const make = (name, about = {}, ...inside) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(about)) {
      if (key in element) element[key] = value;
      else element.setAttribute(key, value);
    }
    element.append(...inside.filter((each) => each !== null));
    return element;
  };

  // ---- What is sent ----

  const placed = (place) => [...form.querySelectorAll(`[data-place=${place}]`)];

  // A value as JSON has it; what is no number or truth value is sent as it stands, for the API to say so.
  const typed = (text, kind) => {
    if (kind === "boolean" && /^(true|false)$/.test(text)) return text === "true";
    if (kind === "numeric" && /^-?\d{1,15}(\.\d+)?$/.test(text)) return Number(text);
    if (kind === "hash" || kind === "array") {
      try { return JSON.parse(text); } catch { /* As text, then. */ }
    }
    return text;
  };

  // Only what is filled in. Raises a SyntaxError where the leads of a batch are not JSON.
  const bodyOf = () => {
    const body = {};
    for (const each of form.querySelectorAll("[name]")) {
      const place = each.dataset.place;
      if (each.value.trim() === "" || place === "path" || place === "data") continue;
      body[each.name] = typed(each.value, each.dataset.kind);
    }
    for (const row of form.querySelectorAll(".row")) {
      const [name, value] = row.querySelectorAll("input");
      const known = [...form.querySelectorAll("#try-names option")].find((each) => each.value === name.value.trim());
      if (name.value.trim()) body[name.value.trim()] = typed(value.value, known?.dataset.kind);
    }
    const data = placed("data").filter((each) => each.value.trim() !== "").map((each) => [each.name, each.value]);
    if (data.length) body.data = { ...body.data, ...Object.fromEntries(data) };
    if (leads) {
      const read = JSON.parse(leads.value);
      Object.assign(body, Array.isArray(read) ? { leads: read } : read);
    }
    if (dry.checked) body.dry_run = true;
    return body;
  };

  const requestOf = () => {
    const path = placed("path").reduce(
      (text, each) => text.replace(`{${each.name}}`, encodeURIComponent(each.value.trim())), form.dataset.path);
    const headers = { "Content-Type": "application/json" };
    const key = document.getElementById("try-key");
    if (key?.value.trim()) headers.Authorization = `Bearer ${key.value.trim()}`;
    return { method: form.dataset.method, url: location.origin + path, headers, body: bodyOf() };
  };

  // Within single quotes a shell reads nothing into a text.
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

  const curlOf = ({ method, url, headers, body }) => [
    `curl -X ${method} ${quoted(url)}`,
    ...Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    // As --data-raw, for -d takes a leading @ for the name of a file.
    `--data-raw ${quoted(JSON.stringify(body, null, 2))}`,
  ].join(" \\\n  ");

  // ---- What is shown ----

  const TOKENS = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\b\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b/g;

  // JSON in the colours of the examples.
  const coloured = (text) => {
    const code = make("code");
    let at = 0;
    for (const match of text.matchAll(TOKENS)) {
      const kind = match[2] ? "nt" : match[1] ? "s2" : /^[tfn]/.test(match[0]) ? "kc" : "mi";
      const word = match[1] ?? match[0];
      code.append(text.slice(at, match.index), make("span", { className: kind }, word));
      at = match.index + word.length;
    }
    code.append(text.slice(at));
    return code;
  };

  const block = (code) =>
    make("div", { className: "code" },
      make("button", { type: "button", className: "copy" }, "Copy"),
      make("pre", { className: "tall", tabIndex: 0 }, code));

  // What a sentence says of a parameter, where that stands before it already.
  const after = (param, sentence) => (sentence.startsWith(`${param} `) ? sentence.slice(param.length + 1) : sentence);

  const plain = (value) => {
    if (value === null) return "nothing";
    if (typeof value === "boolean") return value ? "yes" : "no";
    if (Array.isArray(value)) return value.map(plain).join("; ") || "none";
    return typeof value === "object" ? named(value) : String(value);
  };

  const named = (object) => Object.entries(object).map(([name, value]) => `${name} ${plain(value)}`).join(", ");

  // The trace: of each step what it decided, by which rule, and what it had read.
  const whyList = (why) =>
    make("ol", { className: "why" }, ...why.map(({ step, decided, rule, read, record }) => make("li", {},
      make("b", {}, step.replaceAll("_", " ")),
      ...(decided === undefined || decided === null ? [] : [" → ", make("code", {}, plain(decided))]),
      rule ? `: ${rule}.` : ".",
      read && Object.keys(read).length ? make("small", {}, `Read: ${named(read)}`) : null,
      record ? make("small", {}, `Record: ${record}`) : null)));

  const linkTo = (code) => make("a", { href: `${form.dataset.errors}#${code}` }, make("code", {}, code));

  const listOf = (title, items) =>
    items.length ? make("div", {}, make("h4", {}, title), make("ul", {}, ...items.map((each) => make("li", {}, ...each)))) : null;

  // What happened, in a sentence.
  const sentence = (answer, wasDry) => {
    if (answer.counts) {
      const counts = Object.entries(answer.counts).filter(([name, count]) => count && name !== "total");
      return `${wasDry ? "Dry run" : "Sent"}: ${answer.counts.total} ${answer.counts.total === 1 ? "lead" : "leads"}, ${counts.map(([name, count]) => `${count} ${name}`).join(", ")}.`;
    }
    if (!answer.success) return `${answer.message ?? "Refused"}.`.replace(/\.\.$/, ".");
    if (!wasDry) return `Done: the lead was ${answer.action ?? "taken"}.`;
    return answer.action === "received" || answer.action === "unchanged"
      ? `Dry run: the lead would be ${answer.action}. Nothing was kept.` : `Dry run: a lead would be ${answer.action}. Nothing was kept.`;
  };

  const oneResult = (each, place) => make("details", { open: !each.success },
    make("summary", {}, make("span", { className: `status s${Math.floor(each.status / 100)}xx` }, String(each.status)),
      ` Lead ${place + 1}: ${each.action ?? each.message}`),
    each.code ? make("p", {}, linkTo(each.code), ` ${each.detail ?? ""}`) : null,
    each.why?.length ? whyList(each.why) : null);

  // Who typed a wrong value is told where it stands; false where that is not in the form.
  const mark = (name, texts, className) => {
    const known = [...form.querySelectorAll("[name]")].find((each) => each.name === name.replace(/^data\./, ""))
      ?? [...form.querySelectorAll(".row")].map((row) => row.querySelectorAll("input")).find(([key]) => key.value.trim() === name.replace(/^data\./, ""))?.[1]
      ?? (name === "leads" ? leads : null);
    if (!known) return false;
    const id = `${known.id}-${className}`;
    const note = make("p", { className, id }, ...texts);
    (known.closest(".row") ?? known).after(note);
    if (className === "wrong") known.setAttribute("aria-invalid", "true");
    known.setAttribute("aria-describedby", `${id} ${known.getAttribute("aria-describedby") ?? ""}`.trim());
    if (known.closest("details")) known.closest("details").open = true;
    return true;
  };

  const unmark = () => {
    for (const each of form.querySelectorAll("[aria-describedby]")) {
      each.removeAttribute("aria-invalid");
      const left = each.getAttribute("aria-describedby").split(" ").filter((id) => !/-(wrong|warned)$/.test(id));
      if (left.length) each.setAttribute("aria-describedby", left.join(" "));
      else each.removeAttribute("aria-describedby");
    }
    form.querySelectorAll(".wrong, .warned").forEach((each) => each.remove());
  };

  const show = (request, { status, text, answer, took, wasDry, retryAfter }) => {
    const good = status < 400;
    const errors = Object.entries(answer?.errors ?? {})
      .filter(([name, texts]) => !mark(name, [texts.join(" "), " ", linkTo(answer.code)], "wrong"));
    const warnings = answer?.warnings ?? [];
    warnings.forEach(({ param, message }) => mark(param, [message], "warned"));
    const said = answer ? sentence(answer, wasDry) : "The answer is not JSON; a proxy in between may have written it.";
    const waits = status === 429 ? ` Try again in ${retryAfter ?? "a few"} seconds.` : "";
    state.textContent = `${status}. ${said}${waits}`;
    result.replaceChildren(
      make("h3", {}, "What happened"),
      make("div", { className: `outcome ${good ? "good" : "bad"}` },
        make("p", { className: "summary" },
          make("span", { className: `status s${Math.floor(status / 100)}xx` }, String(status)), " ",
          make("strong", {}, said + waits), " ", make("span", { className: "quiet" }, `${took} ms`)),
        answer?.code ? make("p", {}, linkTo(answer.code), ` ${answer.detail ?? ""}`) : null,
        listOf("Errors", errors.map(([name, texts]) => [make("code", {}, name), ` ${texts.join(" ")}`])),
        listOf("Warnings", warnings.map(({ param, message }) => [make("code", {}, param), ` ${after(param, message)}`]))),
      ...(answer?.results ?? []).map(oneResult),
      ...(answer?.why?.length ? [make("h3", {}, "Why"), whyList(answer.why)] : []),
      make("div", { className: "sides" },
        make("div", {}, make("h3", {}, "Request"), make("p", { className: "quiet asked", title: request.url }, `${request.method} ${request.url}`),
          block(coloured(JSON.stringify(request.body, null, 2)))),
        make("div", {}, make("h3", {}, "Answer"), make("p", { className: "quiet" }, `HTTP ${status}, ${took} ms`),
          block(answer ? coloured(JSON.stringify(answer, null, 2)) : make("code", {}, text.slice(0, 4000))))),
      make("h3", {}, "The same as curl"),
      block(make("code", { id: "try-curl" }, curlOf(request))));
    const wrong = form.querySelector("[aria-invalid=true]");
    if (wrong) wrong.focus();
    else if (result.getBoundingClientRect().top > innerHeight - 100) result.scrollIntoView();
  };

  const showFailure = (text) => {
    state.textContent = text;
    result.replaceChildren(make("div", { className: "outcome bad" }, make("p", { className: "summary" }, make("strong", {}, text))));
  };

  // ---- Sending ----

  const label = () => {
    button.textContent = busy ? "Sending…" : dry.checked ? "Dry run" : "Send for real";
    button.classList.toggle("real", !dry.checked);
    button.setAttribute("aria-disabled", busy);
    document.getElementById("try-real").hidden = dry.checked;
  };

  // The answer, JSON or not. Raises a TypeError where none came.
  const ask = async ({ method, url, headers, body }) => {
    const began = performance.now();
    const response = await fetch(url, { method, headers, body: JSON.stringify(body), credentials: "omit", cache: "no-store" });
    const text = await response.text();
    const took = Math.round(performance.now() - began);
    let answer = null;
    try { answer = JSON.parse(text); } catch { /* It is shown as it came. */ }
    return { status: response.status, text, answer: answer && typeof answer === "object" ? answer : null, took, retryAfter: response.headers.get("Retry-After") };
  };

  const send = async () => {
    unmark();
    const empty = placed("path").find((each) => each.value.trim() === "");
    if (empty) {
      mark(empty.name, ["is a part of the address: fill it in"], "wrong");
      state.textContent = `${empty.name} is a part of the address: fill it in.`;
      empty.focus();
      return;
    }
    let request;
    try {
      request = requestOf();
    } catch (wrong) {
      mark("leads", [`This is not JSON: ${wrong.message}`], "wrong");
      state.textContent = "The leads are not JSON.";
      leads.focus();
      return;
    }
    busy = true;
    label();
    state.textContent = "Sending…";
    const answered = await ask(request).catch((failure) => {
      if (!(failure instanceof TypeError)) throw failure;
    });
    busy = false;
    label();
    // What was sent counts: the switch may have been moved since.
    if (answered) show(request, { ...answered, wasDry: request.body.dry_run === true });
    else showFailure("No answer came: this installation cannot be reached from here. Check your connection and try again.");
  };

  const addRow = () => {
    const id = `try-more-${form.querySelectorAll(".row").length + 1}-${Date.now()}`;
    const name = make("input", { id: `${id}-name`, "aria-label": "Name", placeholder: "name", autocomplete: "off" });
    name.setAttribute("list", "try-names");
    const row = make("div", { className: "row" }, name,
      make("input", { id: `${id}-value`, "aria-label": "Value", placeholder: "value", autocomplete: "off" }),
      make("button", { type: "button", className: "minor", "aria-label": "Remove this parameter", onclick: () => {
        row.remove();
        document.getElementById("try-add").focus();
      } }, "×"));
    document.getElementById("try-add").parentElement.before(row);
    name.focus();
  };

  if (leads) leads.value = JSON.stringify(JSON.parse(leads.value), null, 2);
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!busy) send();
  });
  dry.addEventListener("change", label);
  document.getElementById("try-add")?.addEventListener("click", addRow);
  label();
})();
