/**
 * What `#handraiser-check` at the end of a page's address shows: whether the page can send leads, which forms the
 * script found, what it makes of each field, what a visitor agrees to, and what becomes of a form that its owner sends
 * to try it. It shows no value and sends no lead by itself.
 */
(() => {
  /** @typedef {[config: any, read: (form: any) => [field: any, key: string][], leadForms: () => any[]]} Hook */
  const page = /** @type {any} */ (window);
  /** @type {Hook | undefined} */
  const hook = (page.handraiser || {}).check;
  if (!hook || page.handraiser.checked) return;
  page.handraiser.checked = true;
  const [config, read, leadForms] = hook;

  const STYLE = `
    :host { all: initial; color-scheme: light dark; }
    section { position: fixed; inset: auto 1rem 1rem auto; z-index: 2147483647; box-sizing: border-box; width: 30rem;
      max-width: calc(100vw - 2rem); max-height: calc(100vh - 2rem); overflow: auto; padding: 1rem;
      font: 14px/1.45 system-ui, sans-serif; color: CanvasText; background: Canvas; border: 2px solid CanvasText;
      border-radius: 8px; overflow-wrap: anywhere; }
    h2 { margin: 0 3rem 1rem 0; font-size: 18px; }
    .verdict { margin: 0; padding: .5rem .75rem; border-radius: 4px; font-weight: bold; color: #fff; background: #444; }
    .verdict[data-good=true] { background: #14691b; }
    .verdict[data-good=false] { background: #a3131b; }
    h3 { margin: 1rem 0 .25rem; font-size: 15px; }
    ul { margin: 0; padding: 0; list-style: none; }
    li { margin: .25rem 0; padding-inline-start: 1.75rem; text-indent: -1.75rem; }
    table { width: 100%; border-collapse: collapse; }
    th, td { padding: .2rem .5rem .2rem 0; text-align: start; vertical-align: top; border-bottom: 1px solid GrayText; }
    button { position: absolute; inset-block-start: .75rem; inset-inline-end: .75rem; min-width: 2.5rem;
      min-height: 2.5rem; font: inherit; color: ButtonText; background: ButtonFace; border: 1px solid ButtonText;
      border-radius: 4px; cursor: pointer; }
    :focus-visible { outline: 3px solid Highlight; outline-offset: 2px; }`;

  /** @type {(tag: string, text?: string, ...children: any[]) => any} */
  const make = (tag, text = "", ...children) => {
    const made = document.createElement(tag);
    made.append(text, ...children);
    return made;
  };
  const host = document.createElement("div");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  // A sheet that a script makes stands under every style-src.
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  const section = make("section");
  section.setAttribute("role", "region");
  section.setAttribute("aria-label", "Handraiser's check of this page");
  section.tabIndex = -1;
  const close = make("button", "✕");
  close.setAttribute("aria-label", "Close the check");

  const verdict = make("p", "Looking at this page …");
  verdict.className = "verdict";
  verdict.setAttribute("role", "status");
  let asked = false; // Whether our server has been asked.
  /** Says in one sentence what all parts come to. */
  const judge = () => {
    const wrong = root.querySelectorAll("li[data-good=false]").length;
    if (!wrong && !(asked && ofForms.firstChild)) return;
    verdict.dataset.good = String(!wrong);
    const things = wrong === 1 ? "one thing is" : `${wrong} things are`;
    verdict.textContent = wrong ? `✗ Leads from this page are lost: ${things} to mend` : "✓ This page can send leads";
  };

  // What is said of forms, which is said anew when the page has drawn another.
  const ofForms = make("div");
  let place = section;
  /** @type {(title: string) => (good: boolean | null, text: string) => any} A part of the report, to be filled. */
  const part = (title) => {
    const list = make("ul");
    place.append(make("h3", title), list);
    return (good, text) => {
      const sign = good === null ? "–" : good ? "✓" : "✗";
      const line = make("li", `${sign} ${text}`);
      line.dataset.good = String(good);
      list.append(line);
      judge();
      return line;
    };
  };
  const visible = (/** @type {any} */ element) => {
    const { width, height } = element.getBoundingClientRect();
    return width > 1 && height > 1 && getComputedStyle(element).visibility === "visible";
  };

  /** @type {(field: any, key: string) => string} Why a field became what it is. */
  const reason = (field, key) => {
    if (field.getAttribute("data-lead-field")) return "data-lead-field";
    if (Object.prototype.hasOwnProperty.call(config.fields || {}, field.name)) return "your field map";
    const first = key === "caller_id" || key === "email";
    return first && field.name !== key ? "its name, autocomplete or type" : "its own name";
  };
  /** @type {(form: any) => any} */
  const tableOf = (form) => {
    const table = make("table");
    table.append(make("thead", "", make("tr", "", make("th", "Field"), make("th", "Becomes"), make("th", "By"))));
    const body = make("tbody");
    for (const [field, key] of read(form)) {
      const name = field.getAttribute("name") || field.id || field.type;
      body.append(make("tr", "", make("td", name), make("td", key), make("td", reason(field, key))));
    }
    table.append(body);
    return table;
  };

  const script = () => {
    const say = part("Script");
    say(null, `Version ${config.build || "without a number"}`);
    const ours = [.../** @type {any} */ (document.scripts)].find((each) => each.src.includes(config.token));
    if (ours && ours.integrity) say(null, "Pinned with an integrity hash: it carries no fresh stamp.");
    const stamp = "its evidence is what your page asserts";
    say(config.stamp ? true : null, config.stamp ? "Fetched from us, with a stamp" : `Without a stamp: ${stamp}`);
    const gpc = /** @type {any} */ (navigator).globalPrivacyControl;
    say(null, gpc ? "Global Privacy Control is on: nothing is kept or carried" : "Global Privacy Control is off");
  };
  const all = (/** @type {string} */ selector) => [.../** @type {any} */ (document.querySelectorAll(selector))];
  /** @type {(form: any) => string} The names of what people fill in. */
  const namesIn = (form) => {
    const names = [...form.elements].filter((each) => each.type !== "submit").map((each) => each.name || each.id);
    return names.filter(Boolean).join(", ") || "none with a name";
  };
  const forms = () => {
    const say = part("Forms");
    const found = leadForms();
    const sound = found.filter((form) => read(form).length);
    if (!sound.length) nothing(say);
    for (const [index, form] of found.entries()) {
      const { length } = read(form);
      const number = index + 1;
      if (length) say(true, `Form ${number} has a telephone number and ${length} fields`);
      else say(false, `Form ${number} has no telephone field that we know among: ${namesIn(form)}. ${NAME_IT}`);
      if (length) place.append(tableOf(form));
      handlers(form, number, say);
      if (length) consent(form, number);
    }
    if (found.length > 1) say(null, `${found.length} forms are for leads: each asks for consent by itself.`);
  };
  const NAME_IT = "Call it phone, give it data-lead-field=caller_id, or name it in the snippet's field_map.";
  /** @type {(say: (good: boolean | null, text: string) => any) => void} Why there is no form for leads. */
  const nothing = (say) => {
    const unnamed = all("form").filter((form) => !form.hasAttribute("data-lead"));
    for (const form of unnamed)
      if (form.querySelector("[type=password]"))
        say(false, "A form with a password is left alone, unless it has the attribute data-lead.");
      else say(false, `A form has no telephone field that we know among: ${namesIn(form)}. ${NAME_IT}`);
    const loose = all("input").filter((input) => !input.form && !/hidden|submit|button/.test(input.type));
    if (loose.length)
      say(false, `${loose.length} inputs stand outside of any form: put them into one with a button that submits it.`);
    for (const frame of all("iframe").filter(visible))
      say(false, `A frame shows ${frame.src || "a page of its own"}: put the line of the snippet into that page.`);
    if (!document.forms.length) say(false, "No form was found: there is none on this page.");
  };
  /** @type {any[]} The forms for leads that were spoken of. */
  let known = [];
  const draw = () => {
    known = leadForms();
    taken.length = 0;
    ofForms.replaceChildren();
    place = ofForms;
    forms();
    place = section;
    judge();
  };
  /** Speaks of the forms, again when there are others; one that the page is still to draw is waited for at first. */
  const watch = () => {
    const changed = () => leadForms().some((form) => !known.includes(form)) || known.some((form) => !form.isConnected);
    let timer = setTimeout(draw, leadForms().length ? 0 : 2000);
    new MutationObserver(() => {
      if (!changed()) return;
      clearTimeout(timer);
      timer = setTimeout(draw, 200);
    }).observe(document, { childList: true, subtree: true });
  };
  const TAKES =
    "A script of your page takes the submit and goes on before our answer: it thanks for everything, also for a lead" +
    " that was refused. Let it thank when it hears lead:sent.";
  /** @type {(form: any, number: number, say: (good: boolean | null, text: string) => any) => void} */
  const handlers = (form, number, say) => {
    const buttons = [...form.elements].filter((each) => /submit|image/.test(each.type));
    if (!buttons.length) say(false, `Form ${number} has no button that submits it, so that we hear of no submit.`);
    const { _data } = page.jQuery || {};
    const events = (_data && _data(form, "events")) || {};
    const heard = [form.onsubmit, ...(events.submit || []).map((/** @type {any} */ each) => each.handler)];
    if (heard.some((each) => /preventDefault|return\s*(false|!1)/.test(String(each)))) takes(form);
  };
  /** @type {any[]} */
  const taken = [];
  /** @type {(form: any) => void} Names once a form whose submit the page keeps to itself. */
  const takes = (form) => {
    if (taken.includes(form)) return;
    taken.push(form);
    part("Your page's own script")(typeof page.onLead === "function" ? null : false, TAKES);
  };
  /** What becomes of a form that the page's owner sends. */
  const listen = () => {
    // The script lets the page's handlers run on an event of its own.
    const submitted = (/** @type {Event} */ event) =>
      setTimeout(() => !event.isTrusted && event.defaultPrevented && takes(event.target));
    addEventListener("submit", submitted, true);
    for (const outcome of ["sent", "refused", "failed"])
      addEventListener(`lead:${outcome}`, (/** @type {any} */ event) => {
        const { code, errors = {} } = event.detail;
        const said = Object.entries(errors).map(([name, texts]) => `${name} ${texts}`);
        const why = [code, ...said].filter(Boolean).join("; ");
        part("What you have just sent")(outcome === "sent", `The lead was ${outcome}. ${why}`);
      });
  };
  const UNPUBLISHED = "Nothing is sent: the snippet has no published consent text, and the form no box of its own.";
  /** @type {(form: any, number: number) => void} */
  const consent = (form, number) => {
    const say = part(`Consent in form ${number}`);
    const boxes = [.../** @type {any} */ (document.querySelectorAll("input[type=checkbox]"))];
    const box = boxes.find((each) => each.form === form && each.closest("[data-lead-consent]"));
    const languages = Object.keys(config.languages || {});
    if (!box && languages.length) say(true, `Our box will be shown at the first touch, in ${languages.join(", ")}`);
    if (!box && !languages.length)
      say(false, `${UNPUBLISHED} Publish a text of its disclosure, or mark your own box with data-lead-consent.`);
    if (!box) return;
    say(!box.checked, box.checked ? "The box is ticked: it has to be for the visitor to do" : "The box is unticked");
    const described = (box.getAttribute("aria-describedby") || "").split(" ");
    const ids = described.map((/** @type {string} */ id) => document.getElementById(id)).filter(Boolean);
    const marked = form.querySelectorAll("[data-lead-consent-text]");
    const texts = [...box.labels, ...ids, ...marked].filter((each) => each.textContent.trim());
    const seen = texts.length > 0 && texts.every(visible);
    say(seen, seen ? "Its text can be seen" : "Its text cannot be seen, or there is none");
    const version = box.disclosure ? `the published version ${box.disclosure.slice(0, 12)}` : "your page's own text";
    say(null, `It shows ${version}, language ${(box.closest("[lang]") || {}).lang || navigator.language}`);
  };
  const origin = async () => {
    const say = part("Sending");
    addEventListener("securitypolicyviolation", (event) =>
      say(false, `Your policy has blocked ${event.blockedURI} by ${event.effectiveDirective}`),
    );
    if (self !== top) say(null, "The page stands in a frame.");
    const address = new URL(`${config.token}/check`, config.check);
    let answer;
    try {
      answer = await (await fetch(address.href, { credentials: "omit" })).json();
      asked = true;
    } catch (_) {
      say(false, `${address.origin} could not be asked: does your policy's connect-src name it?`);
      return;
    }
    say(true, `${address.origin} answers`);
    if (answer.learning) say(true, `${location.origin} is taken: the list of origins is still being learned`);
    else if (answer.allowed) say(true, `${location.origin} is on the list of origins`);
    else say(false, `${location.origin} is not on the list of origins: leads from here are refused`);
  };

  close.addEventListener("click", () => host.remove());
  section.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") host.remove();
  });
  const show = () => {
    section.append(make("h2", "Check of this page"), close, verdict);
    root.append(section);
    script();
    section.append(ofForms);
    watch();
    listen();
    document.body.append(host);
    section.focus({ preventScroll: true });
    return origin();
  };
  const begin = () => void show().catch((error) => console.warn(error));
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin);
  else begin();
})();
