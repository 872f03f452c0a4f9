/** Shows the owner of a page what the script found on it. */
(() => {
  "use strict";
  console.info("Handraiser looks at this page.");
})();
