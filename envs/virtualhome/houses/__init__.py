"""Generated houses and the catalogue of what stands in them."""
