/**
 * Handraiser's check of a page: `#handraiser-check` at the end of its address loads this second file, which shows the
 * page's owner what the script has found. It sends no lead and stores nothing; visitors never get it.
 *
 * The panel stands in a shadow tree with a style sheet of its own, so that neither has a say about the other, and all of
 * it is made of elements and texts: a page with a strict Content-Security-Policy or Trusted Types shows it too.
 */

/**
 * @typedef {object} Hook  What the script leaves here when it is asked for.
 * @property {any} config  Its configuration.
 * @property {(form: any) => [any, string][]} read  What each field of a form is sent as.
 * @property {() => any[]} leadForms  The forms that are for leads.
 *
 * @typedef {"good" | "note" | "bad"} Grade
 * @typedef {{ title: string, grade: Grade, says: string, rows?: [string, string][], todo?: string }} Finding
 */
(() => {
  "use strict";
  const page = /** @type {any} */ (self);
  /** @type {Hook} */
  const { config, read, leadForms } = page.handraiser.check;
  const GRADES = { good: "Good", note: "Note", bad: "Problem" };
  const STYLE = `
    :host { all: initial; position: fixed; inset: auto 0 0 auto; z-index: 2147483647; max-inline-size: 100vw; }
    section {
      box-sizing: border-box; inline-size: 27rem; max-inline-size: 100vw; max-block-size: 85vh; overflow: auto;
      padding: 1rem; font: 15px/1.45 system-ui, sans-serif; color: #1a2129; background: #fff; color-scheme: light;
      border: 1px solid #6b7682; border-start-start-radius: 8px; box-shadow: 0 2px 16px rgb(0 0 0 / 25%);
    }
    h2 { margin: 0; font-size: 1.15rem; } h3 { margin: 1rem 0 .2rem; font-size: 1rem; } p { margin: .2rem 0; }
    h2:focus { outline: none; }
    .head { display: flex; gap: .5rem; align-items: center; } .head h2 { flex: 1; }
    button { font: inherit; padding: .25rem .7rem; color: inherit; background: none; border: 1px solid #6b7682;
      border-radius: 5px; cursor: pointer; }
    button:focus-visible { outline: 3px solid #1769aa; outline-offset: 1px; }
    .grade { display: inline-block; padding: 0 .45rem; margin-inline-end: .45rem; border-radius: 4px; font-size: .85rem;
      color: #fff; background: #17692f; }
    .note { background: #5a4a00; } .bad { background: #b3261e; }
    table { inline-size: 100%; border-collapse: collapse; margin-block: .3rem; } td { padding: .15rem .6rem .15rem 0;
      vertical-align: top; border-block-start: 1px solid #d5dade; overflow-wrap: anywhere; }
    @media (prefers-color-scheme: dark) {
      section { color: #e8ecef; background: #1b2127; color-scheme: dark; }
      button:focus-visible { outline-color: #7cc4ff; } td { border-color: #414b55; }
      .grade { color: #10151a; background: #7fd99a; } .note { background: #f0d264; } .bad { background: #ff9c92; }
    }`;

  /** @type {(tag: string, attributes?: object, ...children: any[]) => any} */
  const make = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };
  /** @type {(value: string, most?: number) => string} */
  const short = (value, most = 160) => (value.length > most ? `${value.slice(0, most)}…` : value);
  /** @type {(element: any) => boolean} Whether a visitor can see it. */
  const visible = (element) => element.getClientRects().length > 0 && getComputedStyle(element).visibility === "visible";
  /** @type {(element: any) => string} What a field is called on the page. */
  const nameOf = (element) =>
    element.getAttribute("name") || element.id || `a field of type ${element.getAttribute("type") || "text"}`;

  /** @type {Set<string>} What the page's policy has kept from us. */
  const blocked = new Set();
  const heard = (/** @type {any} */ { blockedURL, blockedURI, effectiveDirective }) => {
    const address = `${blockedURL || blockedURI || ""}`;
    if (address.startsWith(new URL(config.endpoint).origin)) blocked.add(`${effectiveDirective}: ${address}`);
  };
  addEventListener("securitypolicyviolation", heard);
  // What was blocked before we came is told as well, where the browser keeps it.
  if (page.ReportingObserver) {
    const observer = new page.ReportingObserver(
      (/** @type {any[]} */ reports) => reports.forEach(({ body }) => heard(body)),
      { types: ["csp-violation"], buffered: true },
    );
    observer.observe();
  }

  // -- What is looked at, in the order in which it is shown.

  /** @type {() => Finding} */
  const ofScript = () => ({
    title: "Script",
    grade: config.stamp ? "good" : "note",
    says: config.stamp
      ? "It was fetched lately, so consent that comes with a lead can be witnessed."
      : "It carries no fresh stamp: consent that comes with a lead is asserted at most.",
    todo: config.stamp ? "" : "Use the hosted line, unless this page may load only what it has seen before.",
    rows: [
      ["version", config.build || "unknown"],
      ["token", `${config.token.slice(0, 8)}…`],
      ["leads go to", config.endpoint],
    ],
  });

  /** @type {(forms: any[]) => Finding} */
  const ofForms = (forms) => {
    const all = document.querySelectorAll("form").length;
    if (forms.length)
      return { title: "Form", grade: "good", says: `${forms.length} of ${all} on this page sends leads.` };
    return {
      title: "Form",
      grade: "bad",
      says: all ? `None of the ${all} forms on this page is known to be for leads.` : "There is no form on this page yet.",
      todo: "Mark the form with data-lead. One that appears later is found when its visitor touches it: open it and look again.",
    };
  };

  /** @type {(form: any) => Finding} */
  const ofFields = (form) => {
    const fields = read(form);
    const phone = fields.some(([, key]) => key === "caller_id");
    return {
      title: "Fields",
      grade: phone ? "good" : "bad",
      says: phone ? "Each field, and what it is sent as:" : "No field is known to be the telephone number.",
      todo: phone ? "" : "Mark it with data-lead-field=\"caller_id\", or name it in the snippet's field_map.",
      rows: fields.map(([field, key]) => [nameOf(field), key]),
    };
  };

  /** @type {(form: any) => Finding} */
  const ofConsent = (form) => {
    const title = "Consent";
    const marked = form.querySelector("[data-lead-consent]");
    const box = marked && (marked.matches("input") ? marked : marked.querySelector("input[type=checkbox]"));
    if (!box && config.languages) {
      const said = config.languages[config.language] || Object.values(config.languages)[0];
      const languages = Object.keys(config.languages).join(", ");
      return {
        title,
        grade: "good",
        says: "The script shows your disclosure, unticked, when a visitor begins to fill in the form.",
        rows: [["languages", languages], ["box", said.label], ["text", short(said.text)]],
      };
    }
    if (!box)
      return {
        title,
        grade: "bad",
        says: "There is no consent box and no published text: no lead is sent.",
        todo: "Publish a text of the snippet's disclosure, or mark a checkbox of the page with data-lead-consent.",
      };
    const whole = box.labels[0] || box.parentElement;
    const text = whole.innerText.trim();
    const problems = [
      visible(box) || visible(whole) ? "" : "Visitors cannot see it.",
      box.defaultChecked ? "It starts ticked, and what nobody ticked is no consent." : "",
      text ? "" : "It has no label, so nobody knows what they agree to.",
    ].filter(Boolean);
    return {
      title,
      grade: problems.length ? "bad" : "good",
      says: problems.join(" ") || "There is a box, visible and unticked.",
      rows: [["text", short(text)]],
    };
  };

  /** @type {() => Promise<Finding>} */
  const ofOrigin = async () => {
    const title = "This site";
    try {
      const address = config.check.replace(/check\.js$/, `${config.token}/check`);
      const { allowed, learning } = await (await fetch(address, { credentials: "omit" })).json();
      if (learning)
        return { title, grade: "note", says: `${location.origin} is taken, and so is any other site.`, todo: "Name it in allowed_origins when your leads come from the right pages." };
      if (allowed) return { title, grade: "good", says: `${location.origin} is allowed to send leads.` };
      return { title, grade: "bad", says: `${location.origin} is not allowed to send leads.`, todo: "Add it to the snippet's allowed_origins." };
    } catch (_) {
      const { origin } = new URL(config.endpoint);
      return { title, grade: "bad", says: `${origin} cannot be reached from this page.`, todo: `Let the page's policy have connect-src ${origin}, and look whether a blocker stops it.` };
    }
  };

  /** @type {() => Finding[]} */
  const ofBrowser = () => {
    const rows = [...blocked].map((each) => /** @type {[string, string]} */ (["blocked", each]));
    /** @type {Finding[]} */
    const found = rows.length
      ? [{ title: "Content-Security-Policy", grade: "bad", says: "The page's policy keeps something from us:", rows }]
      : [];
    if (page.navigator.globalPrivacyControl)
      found.push({ title: "Privacy", grade: "note", says: "This browser asks not to be sold or shared (GPC): nothing is stored and no click ids are sent." });
    return found;
  };

  // -- The panel.

  /** @type {(finding: Finding) => any[]} */
  const shown = ({ title, grade, says, rows = [], todo }) => [
    make("h3", {}, make("span", { class: `grade ${grade}` }, GRADES[grade]), title),
    make("p", {}, says),
    ...(todo ? [make("p", {}, make("strong", {}, "To do: "), todo)] : []),
    ...(rows.length
      ? [make("table", {}, make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((cell) => make("td", {}, cell))))))]
      : []),
  ];

  const host = make("div", { "data-handraiser-check": "" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [sheet];
  const title = make("h2", { id: "title", tabindex: -1 }, "What was found on this page");
  const again = make("button", { type: "button" }, "Look again");
  const close = make("button", { type: "button" }, "Close");
  const findings = make("div", { role: "status" }, "Looking …");
  const head = make("div", { class: "head" }, title, again, close);
  const panel = make("section", { "aria-labelledby": "title", tabindex: 0 }, head, findings);
  root.append(panel);

  const look = async () => {
    const forms = leadForms();
    const about = [ofScript(), ofForms(forms), ...forms.flatMap((form) => [ofFields(form), ofConsent(form)])];
    const origin = await ofOrigin();
    findings.replaceChildren(...[...about, origin, ...ofBrowser()].flatMap(shown));
  };
  again.addEventListener("click", look);
  close.addEventListener("click", () => host.remove());
  panel.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && host.remove());
  const show = () => {
    document.body.append(host);
    title.focus();
    look();
  };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", show);
  else show();
})();
