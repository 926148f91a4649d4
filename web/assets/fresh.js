// Browsers keep pages that were left, as they were, for the back button; `cache-control: no-store` does not always
// prevent that. A person's page must not show anything once they have signed out, and a sign-in page must not offer a
// state that has been used. So a page goes out of sight when it is left, and is asked for anew when it is shown again.

addEventListener("pagehide", () => {
  document.documentElement.hidden = true;
});

addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
