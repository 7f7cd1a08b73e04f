"""A shop with the pages, search, goals and reward of WebShop."""
