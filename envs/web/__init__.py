"""Web pages in a real Chromium, over the Chrome DevTools Protocol; `env` is where to begin, `miniwob` a world of it."""
