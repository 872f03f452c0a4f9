/** Takes a landing page's leads in, with the consent that its visitors gave. */
((configuration) => {
  "use strict";
  const { token, endpoint } = configuration;
  /** Sends one lead. @param {Record<string, string>} fields */
  const send = (fields) =>
    fetch(endpoint, { method: "POST", keepalive: true, body: new URLSearchParams({ lead_token: token, ...fields }) });
  window.handraiser = { version: configuration.build, send };
})({ token: "YOUR_TOKEN", endpoint: "https://your-domain.com/api/v1/leads" });
