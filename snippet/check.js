/**
 * What `#handraiser-check` at the end of a page's address shows: which form the script found, what it makes of each
 * field, what a visitor agrees to, and whether the page may send at all. It reads no value and sends no lead.
 */
(() => {
  /** @typedef {{ config: any, read: (form: any) => [field: any, key: string][], leadForms: () => any[] }} Hook */
  const page = /** @type {any} */ (window);
  /** @type {Hook | undefined} */
  const hook = (page.handraiser || {}).check;
  if (!hook || page.handraiser.checked) return;
  page.handraiser.checked = true;
  const { config, read, leadForms } = hook;

  const STYLE = `
    :host { all: initial; color-scheme: light dark; }
    section { position: fixed; inset: auto 1rem 1rem auto; z-index: 2147483647; box-sizing: border-box; width: 30rem;
      max-width: calc(100vw - 2rem); max-height: calc(100vh - 2rem); overflow: auto; padding: 1rem;
      font: 14px/1.45 system-ui, sans-serif; color: CanvasText; background: Canvas; border: 2px solid CanvasText;
      border-radius: 8px; overflow-wrap: anywhere; }
    h2 { margin: 0 3rem .5rem 0; font-size: 18px; }
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

  /** @type {(title: string) => (good: boolean | null, text: string) => any} A part of the report, to be filled. */
  const part = (title) => {
    const list = make("ul");
    section.append(make("h3", title), list);
    return (good, text) => {
      const sign = good === null ? "–" : good ? "✓" : "✗";
      const line = make("li", `${sign} ${text}`);
      line.dataset.good = String(good);
      list.append(line);
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
  const forms = () => {
    const say = part("Forms");
    const found = leadForms();
    if (!found.length) say(false, "No form was found: give yours the attribute data-lead.");
    for (const [index, form] of found.entries()) {
      const keys = read(form).map(([, key]) => key);
      const phone = keys.includes("caller_id");
      say(phone, `Form ${index + 1} has ${phone ? "a" : "no"} telephone number and ${keys.length} fields`);
      section.append(tableOf(form));
      consent(form, index + 1);
    }
  };
  /** @type {(form: any, number: number) => void} */
  const consent = (form, number) => {
    const say = part(`Consent in form ${number}`);
    const boxes = [.../** @type {any} */ (document.querySelectorAll("input[type=checkbox]"))];
    const box = boxes.find((each) => each.form === form && each.closest("[data-lead-consent]"));
    const languages = Object.keys(config.languages || {});
    if (!box && languages.length) say(true, `Our box will be shown at the first touch, in ${languages.join(", ")}`);
    if (!box && !languages.length)
      say(false, "There is no box and no published text, so nothing is sent: mark your box with data-lead-consent");
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
    if (document.referrer && self !== top) say(null, "The page stands in a frame.");
    const address = new URL(`${config.token}/check`, config.check);
    let answer;
    try {
      answer = await (await fetch(address.href, { credentials: "omit" })).json();
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
    section.append(make("h2", "Check of this page"), close);
    script();
    forms();
    root.append(section);
    document.body.append(host);
    section.focus({ preventScroll: true });
    return origin();
  };
  const begin = () => void show().catch((error) => console.warn(error));
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin);
  else begin();
})();
