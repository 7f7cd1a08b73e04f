"""Web pages in a real Chromium, over the Chrome DevTools Protocol."""
